//! Guards and headers of every HTTP request, whatever answers it.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{
    access::Access,
    files::policy,
    hosts::{self, UrlHost},
    origin::PageRefusal,
    proxy::{TrustedProxy, client_address},
    slots::Slot,
};

const HEALTH_PATH: &str = "/healthz";

/// How long a browser that has seen a trusted certificate uses https only: a year, which preload lists require.
const TRANSPORT_SECURITY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// The rules for requests.
#[derive(Debug, Clone)]
pub(crate) struct Front {
    pub(crate) access: Access,
    /// Whether the page is served with a certificate that browsers trust.
    pub(crate) is_certified: bool,
    pub(crate) has_open_metrics: bool,
    pub(crate) trusted_proxies: Arc<[TrustedProxy]>,
}

/// Answers `ok`, or why the page of `?origin=` may not have a socket, which its browser would not tell it. Pages of every origin
/// may read the answer, so that a page of another host learns the reason too.
pub(crate) async fn health(
    State(front): State<Front>,
    Extension(slot): Extension<Slot>,
    request: Request,
) -> Response {
    let asked = request
        .uri()
        .query()
        .and_then(|query| query.split('&').find_map(|part| part.strip_prefix("origin=")));
    let refused =
        asked.and_then(|origin| front.access.check_origin(&decoded(origin), request.headers(), &slot).err());
    let text = refused.map_or("ok", PageRefusal::code);
    ([(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"), (header::CACHE_CONTROL, "no-store")], text).into_response()
}

/// Refuses requests for other host names than those that the operator gave, if any were given.
pub(crate) async fn guard_host(State(front): State<Front>, request: Request, next: Next) -> Response {
    let is_allowed = !front.access.hosts.is_given()
        || request.uri().path() == HEALTH_PATH
        || request
            .extensions()
            .get::<Slot>()
            .is_none_or(|slot| front.access.allows_host(request.headers(), slot));
    if is_allowed {
        return next.run(request).await;
    }
    let refusal = PageRefusal::Host;
    (StatusCode::MISDIRECTED_REQUEST, format!("{}: {}\n", refusal.code(), refusal.sentence())).into_response()
}

/// Refuses the metrics to other machines. A client behind a proxy on this machine counts as another machine, and so does a page
/// that a browser on this machine shows under a stranger's host name.
pub(crate) async fn guard_metrics(State(front): State<Front>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let is_here = request.extensions().get::<Slot>().is_some_and(|slot| {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = host.and_then(|host| UrlHost::of_authority(host).ok());
        client_address(slot.peer(), headers, &front.trusted_proxies).is_loopback()
            && !hosts::is_forwarded(headers)
            && host.is_none_or(|host| hosts::is_own(&host.to_string()))
    });
    if is_here || front.has_open_metrics {
        return next.run(request).await;
    }
    let sentence = "The metrics are shown to this machine only (see --metrics-bind and --open-metrics).\n";
    (StatusCode::FORBIDDEN, sentence).into_response()
}

/// Adds the security headers. A route that sets no policy gets the strictest.
pub(crate) async fn with_safe_headers(State(front): State<Front>, mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("permissions-policy", policy::PERMISSIONS);
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy::NOTHING);
    if front.is_certified {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, TRANSPORT_SECURITY);
    }
    response
}

/// Undoes the escapes of an origin in a query. Nothing in an origin but `:`, `/` and brackets is ever escaped.
fn decoded(origin: &str) -> String {
    let escapes = [("%3A", ":"), ("%3a", ":"), ("%2F", "/"), ("%2f", "/"), ("%5B", "["), ("%5D", "]")];
    escapes.iter().fold(origin.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}
