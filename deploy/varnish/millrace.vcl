vcl 4.1;

# Varnish (6.0 or newer) in front of millrace. docs/fronts.md says what each rule is for.
#
#   varnishd -a :8080 -f millrace.vcl -s malloc,256m
#
# Answers are kept as long as the route's s_maxage (or cdn_max_age) says, only where the route is shared. They can be dropped
# sooner by what they are made of, where the route says surrogate_keys:
#
#   curl -X PURGE -H 'Surrogate-Key: products' http://varnish:8080/

import std;

backend default {
    .host = "127.0.0.1";
    .port = "8081";
}

acl may_purge {
    "127.0.0.1";
    "::1";
}

sub vcl_recv {
    if (req.method == "PURGE") {
        if (client.ip !~ may_purge) {
            return (synth(403, "Not allowed"));
        }
        if (req.http.Surrogate-Key !~ "^[A-Za-z0-9_.:%/#*@-]+$") {
            return (synth(400, "One Surrogate-Key is needed"));
        }
        set req.http.Surrogate-Key = regsuball(req.http.Surrogate-Key, "([.*])", "\\\1");
        ban("obj.http.Surrogate-Key ~ (^|\s)" + req.http.Surrogate-Key + "(\s|$)");
        return (synth(200, "Purged"));
    }

    # Ranges of rows are not ranges of bytes: Varnish must neither cut the body by them nor refuse them.
    unset req.http.Millrace-Range;
    if (req.http.Range) {
        set req.http.Millrace-Range = req.http.Range;
        unset req.http.Range;
    }

    # What has an identity goes through. Varnish's own rules do the same for Authorization; they do not know API keys.
    if (req.http.Authorization || req.http.Consistency-Token) {
        return (pass);
    }
}

sub vcl_hash {
    if (req.http.Millrace-Range) {
        hash_data(req.http.Millrace-Range);
    }
}

sub vcl_backend_response {
    # Varnish gives what is over for ten seconds more by default, and forgets it after that. Here it may do so only where the
    # route says stale-while-revalidate; and it keeps what is over to ask for it again by its ETag.
    if (beresp.http.Cache-Control !~ "(?i)stale-while-revalidate") {
        set beresp.grace = 0s;
    }
    set beresp.keep = 10m;

    # RFC 9213: what is said to CDNs goes before what is said to everybody.
    if (beresp.http.CDN-Cache-Control ~ "(?i)no-store|no-cache|private") {
        set beresp.uncacheable = true;
        set beresp.ttl = 10s;
        return (deliver);
    }
    if (beresp.http.CDN-Cache-Control ~ "(?i)max-age=\d+") {
        set beresp.ttl = std.duration(regsub(beresp.http.CDN-Cache-Control, "(?i)^.*max-age=(\d+).*$", "\1") + "s", 0s) - beresp.age;
        return (deliver);
    }
}

sub vcl_deliver {
    # Varnish 7 fails on a Content-Range that counts rows, so millrace says it to Varnish under a name of its own.
    if (resp.http.Millrace-Content-Range) {
        set resp.http.Content-Range = resp.http.Millrace-Content-Range;
        unset resp.http.Millrace-Content-Range;
    }
    # These are for caches in front, of which this was the last.
    unset resp.http.Surrogate-Key;
    unset resp.http.CDN-Cache-Control;
}
