"""The screen: the only place beside the pages that knows Streamlit."""
