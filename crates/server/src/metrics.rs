//! The server's metrics, for Prometheus (the `OpenMetrics` text format 1.0).

use std::fmt;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The metrics of one server.
#[derive(Default)]
pub(crate) struct Metrics {
    registry: Registry,
    sockets: Gauge,
    members: Gauge,
    rooms: Gauge,
    pub(crate) opened_sockets: Counter,
    pub(crate) joins: Counter,
    pub(crate) relayed_signals: Counter,
    pub(crate) received: Counter,
    pub(crate) sent: Counter,
    closings: Family<Reason, Counter>,
    refusals: Family<Reason, Counter>,
}

/// The numbers of the gauges at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Census {
    pub(crate) sockets: usize,
    pub(crate) members: usize,
    pub(crate) rooms: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: String,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut new = Self { registry: Registry::with_prefix("sightline"), ..Self::default() };
        let registry = &mut new.registry;
        registry.register("sockets", "Signaling sockets that are open", new.sockets.clone());
        registry.register("members", "Members whose socket is open", new.members.clone());
        registry.register("rooms", "Rooms with at least one member, away ones included", new.rooms.clone());
        registry.register("opened_sockets", "Signaling sockets that were opened", new.opened_sockets.clone());
        registry.register("joins", "Places in a room that were taken or taken back", new.joins.clone());
        registry.register(
            "relayed_signals",
            "Signals passed on from one member to another",
            new.relayed_signals.clone(),
        );
        let received = "Text frames that were received";
        registry.register_with_unit("received", received, Unit::Bytes, new.received.clone());
        let sent = "Text frames that were queued to be sent";
        registry.register_with_unit("sent", sent, Unit::Bytes, new.sent.clone());
        registry.register("closings", "Sockets that were closed, by reason", new.closings.clone());
        registry.register("refusals", "Handshakes that were refused, by reason", new.refusals.clone());
        new
    }

    /// The registry, for parts of the server that have more metrics.
    pub(crate) fn registry_mut(&mut self) -> &mut Registry {
        &mut self.registry
    }

    /// Counts a socket that closed. `reason` is an error's code, `left`, `full`, `replaced` or `gone`.
    pub(crate) fn count_closing(&self, reason: &str) {
        self.closings.get_or_create(&Reason { reason: reason.to_owned() }).inc();
    }

    /// Counts a refused handshake. `reason` is the code of a `PageRefusal` or of an error.
    pub(crate) fn count_refusal(&self, reason: &str) {
        self.refusals.get_or_create(&Reason { reason: reason.to_owned() }).inc();
    }

    /// The answer to Prometheus.
    pub(crate) fn respond(&self, census: Census) -> Response {
        let set = |gauge: &Gauge, count: usize| gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        set(&self.sockets, census.sockets);
        set(&self.members, census.members);
        set(&self.rooms, census.rooms);
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
            Err(error) => {
                tracing::error!(%error, "the metrics cannot be written");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Metrics").finish_non_exhaustive()
    }
}
