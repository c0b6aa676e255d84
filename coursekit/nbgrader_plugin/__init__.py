"""The engine's steps for stock nbgrader and the Formgrader: configuration, preprocessors, converters."""
