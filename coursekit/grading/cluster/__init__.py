"""Grade on a Dask cluster: submissions go out as bytes, outcomes come back as bytes."""
