//! Decides which peer connection to a member is used, and repairs one that carries no data.
//!
//! Owns the link in use, the link that is built to replace it, and the plan of the repair. It never knows the messages on the
//! channels or the identity of the member; [`Terms`] has the consequences of both.
//!
//! Invariant: a second link exists only while the link in use is to be replaced. It becomes the link in use, or is closed.

use std::{collections::VecDeque, time::Duration};

use sightline_protocol::{Generation, control::ControlMessage, signaling::Signal};

use super::output::PeerOutput;
use crate::{
    Timestamp,
    link::{Link, LinkId, LinkName, LinkNames, LinkOutput, time_to_come_up},
    negotiation::Role,
    recovery::{Health, Repair, RepairAction, Situation},
};

/// Number of consecutive peer connections that never came up after which a notice is raised. The attempts continue.
const FAILURES_TOLD: u32 = 2;
const MAX_REBUILD_DELAY: Duration = Duration::from_secs(16);
/// How often a link that carries data is replaced, for each page instance of the member.
const MAX_RENEWALS: u32 = 3;
/// Least time from one such replacement to the next.
const RENEWAL_SPACING: Duration = Duration::from_secs(20);

/// What the room and the member allow this side to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Terms {
    /// Whether this side makes the first offer, leads the repair, and says which link is used.
    pub(super) leads: bool,
    /// Whether signals can reach the member.
    pub(super) is_reachable: bool,
}

/// The links to one member, without the bulk links.
#[derive(Debug)]
pub(super) struct PeerLinks {
    names: LinkNames,
    /// The link in use.
    current: Option<Link>,
    /// The link that is built to replace `current`.
    next: Option<Link>,
    /// Name of the newest link, from which the next generation is named.
    latest_name: Option<LinkName>,
    repair: Repair,
    /// Whether a link ever carried data: then trouble is a recovery instead of a first connection.
    was_connected: bool,
    /// Consecutive peer connections that never came up, before the first that did.
    failures: u32,
    /// When to build the first peer connection, or the next one after a failure.
    rebuild_at: Option<Timestamp>,
    renewals: Renewals,
    outputs: VecDeque<PeerOutput>,
}

impl PeerLinks {
    pub(super) fn new(names: LinkNames) -> Self {
        Self {
            names,
            current: None,
            next: None,
            latest_name: None,
            repair: Repair::default(),
            was_connected: false,
            failures: 0,
            rebuild_at: None,
            renewals: Renewals::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Closes every link for a new page instance of the member; only the source of names is kept.
    pub(super) fn reset(&mut self) {
        self.close_all();
        (self.repair, self.was_connected, self.failures) = (Repair::default(), false, 0);
        self.renewals = Renewals::default();
    }

    pub(super) fn has(&self, id: LinkId) -> bool {
        self.iter().any(|link| link.id() == id)
    }

    pub(super) fn get_mut(&mut self, id: LinkId) -> Option<&mut Link> {
        self.iter_mut().find(|link| link.id() == id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Link> {
        self.current.iter().chain(&self.next)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Link> {
        self.current.iter_mut().chain(&mut self.next)
    }

    pub(super) fn current(&self) -> Option<&Link> {
        self.current.as_ref()
    }

    /// The link in use, and the names for bulk links that are opened over it.
    pub(super) fn current_and_names(&mut self) -> (Option<&mut Link>, &mut LinkNames) {
        (self.current.as_mut(), &mut self.names)
    }

    pub(super) fn is_current(&self, id: LinkId) -> bool {
        self.current.as_ref().is_some_and(|link| link.id() == id)
    }

    pub(super) fn is_carrying(&self) -> bool {
        self.current.as_ref().is_some_and(Link::is_carrying)
    }

    pub(super) fn was_connected(&self) -> bool {
        self.was_connected
    }

    /// Whether connecting failed so often that a notice is raised.
    pub(super) fn is_failing(&self) -> bool {
        self.failures >= FAILURES_TOLD
    }

    /// Since when the link in use carries no data; `None` if it never did.
    pub(super) fn in_trouble_since(&self) -> Option<Timestamp> {
        self.repair.since()
    }

    /// Builds the first peer connection, now or as soon as the member can be reached.
    pub(super) fn begin(&mut self, now: Timestamp) {
        if self.current.is_none() {
            self.rebuild_at = Some(now);
        }
    }

    /// Notes that signals reach the member again.
    pub(super) fn handle_reachable(&mut self, now: Timestamp) {
        self.repair.handle_reachable();
        for link in self.iter_mut() {
            link.handle_path_restored(now);
        }
    }

    /// Whether a signal makes this side open a link.
    pub(super) fn opens(&self, signal: &Signal, terms: Terms) -> bool {
        let name = name_of(signal);
        let is_known = self.iter().any(|link| *link.name() == name);
        let is_stale = self.latest_name.as_ref().is_some_and(|latest| name.is_older_than(latest));
        // Only the leading side opens a connection, with its first offer. Any other signal about an unknown connection is stale, or is
        // about one that this side gave up; unanswered, the leading side builds the next one.
        !is_known && signal.payload.begins_connection() && !is_stale && !terms.leads
    }

    pub(super) fn handle_signal(&mut self, signal: Signal, terms: Terms, now: Timestamp) {
        let name = name_of(&signal);
        if self.opens(&signal, terms) {
            // A new generation of a link that came up is built beside that link; any other new link replaces it at once.
            let is_beside = |link: &Link| link.name().connection == name.connection && link.came_up();
            if self.current.as_ref().is_some_and(|link| !is_beside(link)) {
                self.close_all();
            }
            self.open(name.clone(), Role::Answerer, now);
        }
        if let Some(link) = self.iter_mut().find(|link| *link.name() == name) {
            link.handle_signal(signal.payload, now);
        }
    }

    /// Notes that something arrived on a link. Of two links, the leading side uses the first that carries data.
    pub(super) fn handle_heard(&mut self, id: LinkId) {
        if let Some(link) = self.get_mut(id) {
            link.handle_heard();
        }
        if self.next.as_ref().is_some_and(|next| next.id() == id && next.role() == Role::Offerer) {
            self.outputs.push_back(PeerOutput::SendControl(id, ControlMessage::Use));
            self.promote();
        }
    }

    /// Notes that the leading side uses this link.
    pub(super) fn handle_use(&mut self, id: LinkId) {
        if self.iter().any(|link| link.id() == id && link.role() == Role::Offerer) {
            return;
        }
        if self.next.as_ref().is_some_and(|next| next.id() == id) {
            self.promote();
        } else if let Some(next) = self.next.take() {
            self.close(next.id());
        }
    }

    /// Replaces the link in use although it carries data: a picture does not arrive on it. The leading side builds the next link; the
    /// following side asks for it.
    pub(super) fn renew(&mut self, terms: Terms, now: Timestamp) {
        if terms.leads {
            self.handle_renewal_wanted(terms, now);
        } else if let Some(link) = self.current.as_ref().filter(|link| link.is_carrying()) {
            self.outputs.push_back(PeerOutput::SendControl(link.id(), ControlMessage::Renew));
        }
    }

    /// Takes the wish for a new link, of this side or the other one.
    pub(super) fn handle_renewal_wanted(&mut self, terms: Terms, now: Timestamp) {
        let is_possible = terms.leads && terms.is_reachable && self.is_carrying() && self.next.is_none();
        if is_possible && self.renewals.begin(now) {
            self.build_next(now);
        }
    }

    /// Handles the deadlines that have passed. [`Self::review`] draws the conclusions.
    pub(super) fn handle_timeout(&mut self, now: Timestamp) {
        for link in self.iter_mut() {
            link.handle_timeout(now);
        }
        if self.next.as_ref().is_some_and(|link| link.is_overdue(now)) {
            self.drop_next(now);
        }
        if self.current.as_ref().is_some_and(|link| link.is_overdue(now)) {
            self.give_up(now);
        }
    }

    /// Acts on the present health of the links.
    pub(super) fn review(&mut self, terms: Terms, now: Timestamp) {
        if self.next.as_ref().is_some_and(|next| next.health() == Health::Dead) {
            self.drop_next(now);
        }
        if let Some(link) = &self.current {
            let is_following = link.role() == Role::Answerer;
            match link.health() {
                Health::Pending | Health::Troubled => {}
                Health::Carrying => self.note_carrying(),
                // The leading side replaces a link whose negotiation failed while it still carries data. The following side's
                // failure becomes known only when that side closes the link.
                Health::Dead if !link.came_up() || (is_following && link.is_broken()) => self.give_up(now),
                Health::Dead if is_following && self.next.as_ref().is_some_and(Link::is_carrying) => {
                    self.promote();
                }
                Health::Dead => {}
            }
        }
        if let Some(health) = self.health()
            && self.repair.handle_health(health, now)
        {
            self.outputs.push_back(PeerOutput::TroubleBegan);
        }
        self.repair(terms, now);
    }

    /// The time at which [`Self::handle_timeout`] or [`Self::review`] is to be called.
    pub(super) fn poll_timeout(&self, terms: Terms) -> Option<Timestamp> {
        let can_rebuild = terms.is_reachable && self.current.is_none();
        let rebuild_at = self.rebuild_at.filter(|_| can_rebuild);
        let repair_at = self.situation(terms).and_then(|situation| self.repair.due(situation));
        self.iter().filter_map(Link::poll_timeout).chain(rebuild_at).chain(repair_at).min()
    }

    /// The next output. After [`LinkOutput::Broken`] the caller calls [`Self::review`].
    pub(super) fn poll_output(&mut self) -> Option<PeerOutput> {
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        self.iter_mut().find_map(|link| {
            let id = link.id();
            link.poll_output().map(|output| match output {
                LinkOutput::Perform(operation_id, operation) => {
                    PeerOutput::Perform(id, operation_id, operation)
                }
                LinkOutput::Signal(signal) => PeerOutput::SendSignal(signal),
                LinkOutput::Telemetry(message) => PeerOutput::SendTelemetry(id, message),
                LinkOutput::Broken(failure) => PeerOutput::NegotiationBroken(id, failure),
                LinkOutput::FingerprintsChanged => PeerOutput::FingerprintsChanged,
            })
        })
    }

    /// Closes every link and builds no new one.
    pub(super) fn close_all(&mut self) {
        self.rebuild_at = None;
        self.outputs.push_back(PeerOutput::LinksClosed);
        for link in [self.current.take(), self.next.take()].into_iter().flatten() {
            self.close(link.id());
        }
    }

    /// Health of the link in use; `None` before the first.
    fn health(&self) -> Option<Health> {
        match &self.current {
            Some(link) => Some(link.health()),
            None => self.was_connected.then_some(Health::Dead),
        }
    }

    /// The situation as the leading side sees it; `None` on the following side, or if there never was a connection.
    fn situation(&self, terms: Terms) -> Option<Situation> {
        let health = self.health().filter(|_| terms.leads)?;
        Some(Situation { health, is_reachable: terms.is_reachable, has_attempt: self.next.is_some() })
    }

    /// Performs the next step of the repair on the leading side.
    fn repair(&mut self, terms: Terms, now: Timestamp) {
        if self.rebuild_at.is_some_and(|at| at <= now) && terms.is_reachable && self.current.is_none() {
            self.build_next(now);
        }
        let Some(situation) = self.situation(terms) else { return };
        match self.repair.poll_action(situation, now) {
            Some(RepairAction::RestartIce) => {
                if let Some(link) = &mut self.current {
                    link.restart_ice(now);
                }
            }
            Some(RepairAction::BuildNext) => self.build_next(now),
            None => {}
        }
    }

    /// Offers the next peer connection, beside the link in use if there is one.
    fn build_next(&mut self, now: Timestamp) {
        let name = match &self.latest_name {
            Some(latest) => latest.next(),
            None => LinkName { connection: self.names.connection(), generation: Generation::default() },
        };
        self.open(name, Role::Offerer, now);
    }

    fn open(&mut self, name: LinkName, role: Role, now: Timestamp) {
        let id = self.names.id();
        let deadline = now + time_to_come_up(role, self.was_connected);
        self.rebuild_at = None;
        self.latest_name = Some(name.clone());
        let link = Link::new(id, name, role, deadline);
        let slot = if self.current.is_some() { &mut self.next } else { &mut self.current };
        if let Some(older) = slot.replace(link) {
            self.close(older.id());
        }
        self.outputs.extend([PeerOutput::OpenLink(id, role), PeerOutput::Changed]);
    }

    fn note_carrying(&mut self) {
        (self.was_connected, self.failures) = (true, 0);
        let Some(link) = &mut self.current else { return };
        link.note_came_up();
        // The link healed before its replacement carried anything.
        if link.role() == Role::Offerer
            && !self.renewals.is_under_way
            && let Some(next) = self.next.take()
        {
            self.outputs.push_back(PeerOutput::SendControl(link.id(), ControlMessage::Use));
            self.close(next.id());
        }
    }

    /// Gives up a link in use that never came up or whose negotiation failed: the offerer builds the next one, the other side
    /// waits for its offer.
    fn give_up(&mut self, now: Timestamp) {
        let Some(link) = self.current.take() else { return };
        self.close(link.id());
        if self.was_connected {
            self.repair.handle_attempt_failed(now);
            return;
        }
        self.failures = self.failures.saturating_add(1);
        if link.role() == Role::Offerer {
            let delay = Duration::from_secs(1 << self.failures.min(5)).min(MAX_REBUILD_DELAY);
            self.rebuild_at = Some(now + delay);
        }
        if self.is_failing() {
            self.outputs.push_back(PeerOutput::ConnectionFailed);
        }
    }

    /// Closes the link that was to replace the link in use.
    fn drop_next(&mut self, now: Timestamp) {
        self.renewals.is_under_way = false;
        if let Some(next) = self.next.take() {
            self.repair.handle_attempt_failed(now);
            self.close(next.id());
        }
    }

    /// Makes the second link the link in use.
    fn promote(&mut self) {
        let Some(mut next) = self.next.take() else { return };
        self.renewals.is_under_way = false;
        next.note_came_up();
        if let Some(older) = &self.current {
            next.take_over_from(older);
        }
        // This output comes first, so that the streams of the new link replace those of the old one before the old ones end.
        self.outputs.push_back(PeerOutput::UseLink(next.id()));
        if let Some(older) = self.current.replace(next) {
            self.close(older.id());
        }
        self.outputs.push_back(PeerOutput::ChannelOpened);
    }

    fn close(&mut self, id: LinkId) {
        self.outputs.push_back(PeerOutput::CloseLink(id));
    }
}

/// Replacements of links that carry data. Either side may wish for one, so they are few.
#[derive(Debug, Default)]
struct Renewals {
    count: u32,
    began: Option<Timestamp>,
    is_under_way: bool,
}

impl Renewals {
    /// Begins a replacement, if it is not one too many.
    fn begin(&mut self, now: Timestamp) -> bool {
        let is_spaced = self.began.is_none_or(|began| now - began >= RENEWAL_SPACING);
        if !is_spaced || self.count >= MAX_RENEWALS {
            return false;
        }
        (self.count, self.began, self.is_under_way) = (self.count + 1, Some(now), true);
        true
    }
}

fn name_of(signal: &Signal) -> LinkName {
    LinkName { connection: signal.connection.clone(), generation: signal.generation }
}
