"""JupyterLab in a browser, driven as a learner would drive it."""
