"""The same workers on a Dask cluster: bytes out, bytes back."""
