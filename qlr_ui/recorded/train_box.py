"""The box that trains a small task from the page of recorded runs, and says what is training on this server."""

import signal
import subprocess
import time
import uuid

import streamlit as st

from qlr_core.optimizers import OPTIMIZERS, optimizer_named
from qlr_core.tasks import task_named
from qlr_ui.lab.literal import literal
from qlr_ui.lab.run_setting import not_installed
from qlr_ui.lab.without_paths import without_paths
from qlr_ui.recorded.runs import Recorded, all_runs, runs_folder
from qlr_ui.recorded.start_training import (
    SMALL_TASKS,
    Training,
    TrainingError,
    last_words,
    reason_off,
    start_training,
    stop_training,
    training_now,
)

_PROCESS, _VISITOR = "recorded_process", "recorded_visitor"
# How often a visitor is told how far a training is.
_REFRESH_SECONDS = 3.0


def train_box() -> None:
    """What is training, with a button that stops it, or what can be trained; a sentence where this server allows neither."""
    allowed = reason_off(st.get_option("server.address"))
    running = training_now(runs_folder()) is not None
    if running:
        st.fragment(_running, run_every=_REFRESH_SECONDS)(not allowed)
    elif not allowed:
        with st.expander("Train a small task"), st.form("recorded_train", border=False):
            _form()
        _ended()
    if allowed:
        st.caption(allowed)


def _running(may_stop: bool) -> None:
    training = training_now(runs_folder())
    if training is None:
        st.rerun()
    st.info(_sentence(training, all_runs()[0]))
    if may_stop:
        st.button("Stop the training", on_click=stop_training, args=(runs_folder(),), width="stretch")


def _sentence(training: Training, found: list[Recorded]) -> str:
    """Who has started what and when, and how far it is."""
    who = "You have" if training.visitor == _visitor() else "Another visitor has"
    what = f"{optimizer_named(training.optimizer).label} on {task_named(training.task).label}"
    length = f"{training.epochs} epochs, {training.seeds} {'seed' if training.seeds == 1 else 'seeds'}"
    clock = time.strftime("%H:%M", time.localtime(training.started))
    runs = [run for run in found if run.status == "running"]
    mine = [run for run in runs if (run.plan.task, run.plan.optimizer) == (training.task, training.optimizer)]
    far = f"at step {mine[0].done:,} of {mine[0].plan.steps:,}" if mine else "being compiled"
    return f"{who} started a training at {clock} (server's clock): {what}, {length}. It is {far}. One runs at a time."


def _form() -> None:
    task = st.selectbox("Task to train", SMALL_TASKS, format_func=lambda name: task_named(name).label)
    names = [spec.name for spec in OPTIMIZERS if not not_installed(spec)]
    optimizer = st.selectbox("Optimizer", names, format_func=lambda name: optimizer_named(name).label)
    epochs = st.select_slider("Epochs", (5, 10, 25, 50, 100, 200), 50)
    seeds = st.select_slider("Seeds", (1, 3, 5, 10), 3)
    if not st.form_submit_button("Train", width="stretch"):
        return
    training = Training(task, optimizer, epochs, seeds, _visitor(), time.time())
    try:
        st.session_state[_PROCESS] = start_training(training, runs_folder())
    except TrainingError as error:
        st.warning(literal(str(error)))
    except OSError as error:
        folder = runs_folder().name
        st.error(literal(f"The folder {folder} cannot be written: {error.strerror}. Set QLR_RUNS_DIR to another folder."))
    else:
        st.rerun()


def _ended() -> None:
    """How this visitor's own training has ended, where it was not as planned."""
    process: subprocess.Popen[bytes] | None = st.session_state.get(_PROCESS)
    code = process.poll() if process is not None else 0
    words = literal(without_paths(last_words(runs_folder()), runs_folder()))
    if code == 128 + signal.SIGTERM:
        st.info(words)
    elif code:
        st.error(f"Training failed. {words}")


def _visitor() -> str:
    """A name of this visitor's session, which tells others nothing."""
    return st.session_state.setdefault(_VISITOR, uuid.uuid4().hex)
