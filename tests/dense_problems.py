"""Problems for the oracle in plain NumPy: small networks and surfaces with hand-written derivatives and dense matrices.

The Hessians come from the gradients by the complex step, H eⱼ = Im ∇f(θ + ih eⱼ) / h, which cancels nothing: it is
exact to rounding (Squire & Trapp 1998).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tests.oracle import Matrix, Problem, Vector


def complex_step(gradient: Callable[[Vector], Vector], theta: Vector) -> Matrix:
    """The Hessian of a function from its gradient, which must be analytic code: no abs, max or conjugate."""
    tiny = 1e-30
    return np.stack([np.imag(gradient(theta + 1j * tiny * axis)) / tiny for axis in np.eye(theta.size)], axis=1)


class Network(NamedTuple):
    """A tanh network with one hidden layer, its parameters in one vector: W₁ by rows, b₁, W₂ by rows, b₂."""

    inputs: Matrix
    targets: np.ndarray
    hidden: int
    outputs: int
    loss: str

    @property
    def size(self) -> int:
        """The number of parameters."""
        return self.hidden * (self.inputs.shape[1] + 1) + self.outputs * (self.hidden + 1)

    def layers(self, theta: Vector) -> tuple[Matrix, Vector, Matrix, Vector]:
        """The vector cut into W₁, b₁, W₂, b₂."""
        width = self.inputs.shape[1]
        ends = np.cumsum([width * self.hidden, self.hidden, self.hidden * self.outputs])
        w1, b1, w2, b2 = np.split(theta, ends)
        return w1.reshape(width, self.hidden), b1, w2.reshape(self.hidden, self.outputs), b2

    def forward(self, theta: Vector) -> tuple[Matrix, Matrix]:
        """The hidden activations and the outputs, one row an example."""
        w1, b1, w2, b2 = self.layers(theta)
        activations = np.tanh(self.inputs @ w1 + b1)
        return activations, activations @ w2 + b2

    def losses(self, theta: Vector) -> Vector:
        """The loss of every example."""
        z = self.forward(theta)[1]
        if self.loss == "squared_error":
            return 0.5 * np.sum((z - self.targets) ** 2, axis=1)
        return np.log(np.sum(np.exp(z), axis=1)) - z[np.arange(len(z)), self.targets]

    def output_gradients(self, z: Matrix) -> Matrix:
        """∂ℓ/∂z of every example."""
        if self.loss == "squared_error":
            return z - self.targets
        return np.exp(z) / np.sum(np.exp(z), axis=1, keepdims=True) - np.eye(self.outputs)[self.targets]

    def output_hessians(self, z: Matrix) -> np.ndarray:
        """∂²ℓ/∂z² of every example; shape (examples, outputs, outputs)."""
        identity = np.broadcast_to(np.eye(self.outputs), (len(z), self.outputs, self.outputs))
        if self.loss == "squared_error":
            return identity
        p = np.exp(z) / np.sum(np.exp(z), axis=1, keepdims=True)
        return p[:, :, None] * identity - p[:, :, None] * p[:, None, :]

    def gradients(self, theta: Vector) -> Matrix:
        """The gradient of every example's loss, by backpropagation; shape (examples, parameters)."""
        activations, z = self.forward(theta)
        return self.backward(theta, activations, self.output_gradients(z))

    def jacobians(self, theta: Vector) -> np.ndarray:
        """∂z/∂θ of every example; shape (examples, outputs, parameters)."""
        activations, z = self.forward(theta)
        rows = [self.backward(theta, activations, np.tile(unit, (len(z), 1))) for unit in np.eye(self.outputs)]
        return np.stack(rows, axis=1)

    def backward(self, theta: Vector, activations: Matrix, cotangents: Matrix) -> Matrix:
        """Jᵢᵀuᵢ of every example."""
        hidden = (cotangents @ self.layers(theta)[2].T) * (1 - activations**2)
        parts = (
            self.inputs[:, :, None] * hidden[:, None, :],
            hidden,
            activations[:, :, None] * cotangents[:, None, :],
            cotangents,
        )
        return np.concatenate([part.reshape(len(cotangents), -1) for part in parts], axis=1)


def network_problem(network: Network, curvature: str) -> Problem:
    """A network's mean loss with the dense matrix of a curvature."""

    def gradient(theta: Vector) -> Vector:
        return np.mean(network.gradients(theta), axis=0)

    def fisher(theta: Vector) -> Matrix:
        jacobians = network.jacobians(theta)
        hessians = network.output_hessians(network.forward(theta)[1])
        return np.einsum("bkp,bkl,blq->pq", jacobians, hessians, jacobians) / len(jacobians)

    def empirical(theta: Vector) -> Matrix:
        gradients = network.gradients(theta)
        return gradients.T @ gradients / len(gradients)

    def noise(theta: Vector) -> float:
        z = network.forward(theta)[1]
        errors = np.abs(network.losses(theta)) + np.sum(np.abs(network.output_gradients(z) * z), axis=1)
        return rounding(errors / len(z), gradient(theta) * theta)

    matrices = {"fisher": fisher, "empirical_fisher": empirical, "hessian": lambda x: complex_step(gradient, x)}
    return Problem(lambda theta: float(np.mean(network.losses(theta))), gradient, matrices[curvature], noise)


def rounding(errors: Vector, moved: Vector) -> float:
    """What float64's last digit may do to Δf: errors of the examples and of the parameters, which add as squares."""
    return float(np.finfo(np.float64).eps * np.sqrt(errors @ errors + moved @ moved))


def _rosenbrock(theta: Vector) -> tuple[Vector, Matrix]:
    x, y = theta
    return np.sqrt(2) * np.array([1 - x, 10 * (y - x**2)]), np.sqrt(2) * np.array([[-1, 0], [-20 * x, 10]])


def _himmelblau(theta: Vector) -> tuple[Vector, Matrix]:
    x, y = theta
    return np.sqrt(2) * np.array([x**2 + y - 11, x + y**2 - 7]), np.sqrt(2) * np.array([[2 * x, 1], [1, 2 * y]])


# Surfaces at their default parameters: residuals with their Jacobian, or a value with its gradient.
RESIDUALS = {"rosenbrock": _rosenbrock, "himmelblau": _himmelblau}
PLAIN = {
    "styblinski_tang": (lambda t: 0.5 * np.sum(t**4 - 16 * t**2 + 5 * t), lambda t: 2 * t**3 - 16 * t + 2.5),
    "saddle": (
        lambda t: 0.5 * (t[0] ** 2 - t[1] ** 2) + 0.25 * t[1] ** 4,
        lambda t: np.array([t[0], t[1] ** 3 - t[1]]),
    ),
}


def surface_problem(name: str, curvature: str) -> Problem:
    """A surface with the dense matrix of a curvature; without residuals it has no Fisher."""
    if name in PLAIN:
        value, gradient = PLAIN[name]
        matrices = {}
    else:
        residuals = RESIDUALS[name]

        def value(theta: Vector) -> float:
            r, _ = residuals(theta)
            return 0.5 * float(r @ r)

        def gradient(theta: Vector) -> Vector:
            r, jacobian = residuals(theta)
            return jacobian.T @ r

        def fisher(theta: Vector) -> Matrix:
            _, jacobian = residuals(theta)
            return jacobian.T @ jacobian

        matrices = {"fisher": fisher}
    matrices["hessian"] = lambda theta: complex_step(gradient, theta)
    matrices["empirical_fisher"] = lambda theta: np.outer(gradient(theta), gradient(theta))

    def noise(theta: Vector) -> float:
        # A residual r blurs ½r² by |r| · eps |r|, twice the last digit of ½r² itself; a plain value is its own output.
        carried = 1 if name in PLAIN else 2
        return rounding(np.array([(1 + carried) * abs(value(theta))]), gradient(theta) * theta)

    return Problem(value, gradient, matrices[curvature], noise)
