"""The engine in stock nbgrader and the Formgrader: configuration, preprocessors, converters."""
