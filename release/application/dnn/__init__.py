"""The modules behind ``dnn_utils``: figures, data files, the gradient lab and the activations."""
