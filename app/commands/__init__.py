"""Commands of `cpc-record`, in one module per subject."""
