vcl 4.1;

backend default {
    .host = "127.0.0.1";
    .port = "8000";
}

sub vcl_backend_response {
    # Revalidate by ETag, instead of downloading again, for a week after expiry; by default 10 seconds.
    set beresp.keep = 7d;
}
