"""Grade a class: workers grade submissions, one writer records the outcomes in the gradebook."""
