//! The links of a member: what they are opened with, whom they lead to, and those that still close.

use std::{collections::HashMap, sync::Arc};

use rustls::ClientConfig;
use sightline_core::link::LinkId;
use sightline_protocol::{MemberId, signaling::IceServer};
use tokio::task::JoinSet;

use super::Setup;
use crate::{
    arrival::FrameSender,
    clock::Clock,
    link::{Link, LinkConfig, LinkInputs, LinkKind, LinkWatch},
    media::Source,
};

/// The links of a member.
pub(super) struct Links {
    own_ice_servers: Vec<IceServer>,
    relay_only: bool,
    tls: Arc<ClientConfig>,
    is_loopback: bool,
    source: Option<Source>,
    /// What takes the frames, if this member receives any.
    watch: Option<Option<FrameSender>>,
    clock: Clock,
    inputs: LinkInputs,
    open: HashMap<LinkId, (MemberId, Link)>,
    /// The tasks of links that were closed.
    closing: JoinSet<()>,
}

impl Links {
    pub(super) fn new(setup: &Setup, clock: Clock, inputs: LinkInputs) -> Self {
        Self {
            own_ice_servers: setup.ice_servers.clone(),
            relay_only: setup.relay_only,
            tls: Arc::clone(&setup.tls),
            is_loopback: setup.address.server().is_loopback(),
            source: setup.source.clone(),
            watch: setup.watch.as_ref().map(|watch| watch.frames.clone()),
            clock,
            inputs,
            open: HashMap::new(),
            closing: JoinSet::new(),
        }
    }

    /// Opens a link with the ICE servers of the server, unless the person has others.
    pub(super) fn open(&mut self, id: LinkId, member: MemberId, kind: LinkKind, servers: &[IceServer]) {
        let config = LinkConfig {
            ice_servers: self.ice_servers(servers).to_vec(),
            relay_only: self.relay_only,
            tls: Arc::clone(&self.tls),
            is_loopback: self.is_loopback,
            source: self.source.clone(),
            watch: self.watch.clone().map(|frames| LinkWatch {
                member: member.clone(),
                clock: self.clock,
                frames,
            }),
        };
        self.open.insert(id, (member, Link::open(id, kind, config, self.inputs.clone())));
    }

    /// Lets a link end by itself. Returns the member that it led to.
    pub(super) fn close(&mut self, id: LinkId) -> Option<MemberId> {
        let (member, link) = self.open.remove(&id)?;
        while self.closing.try_join_next().is_some() {}
        self.await_end(link);
        Some(member)
    }

    /// Lets all links end. Returns the tasks that have not ended yet.
    pub(super) fn close_all(mut self) -> JoinSet<()> {
        for (_, (_, link)) in std::mem::take(&mut self.open) {
            self.await_end(link);
        }
        self.closing
    }

    /// Ends when every message that was handed to a link has been acknowledged, or is lost with its link. Returns whether none is
    /// lost.
    pub(super) fn acknowledged(&self) -> impl Future<Output = bool> + use<> {
        let waiting: Vec<_> = self.open.values().map(|(_, link)| link.await_acknowledgment()).collect();
        async {
            let mut is_all = true;
            for acknowledged in waiting {
                is_all &= acknowledged.await.is_ok();
            }
            is_all
        }
    }

    fn await_end(&mut self, link: Link) {
        // Dropping the link ends its queue of commands.
        let task = link.task;
        self.closing.spawn(async move {
            let _ = task.await;
        });
    }

    pub(super) fn get(&self, id: LinkId) -> Option<&Link> {
        self.open.get(&id).map(|(_, link)| link)
    }

    pub(super) fn get_mut(&mut self, id: LinkId) -> Option<&mut Link> {
        self.open.get_mut(&id).map(|(_, link)| link)
    }

    /// The member that a link leads to.
    pub(super) fn member(&self, id: LinkId) -> Option<&MemberId> {
        self.open.get(&id).map(|(member, _)| member)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Link> {
        self.open.values().map(|(_, link)| link)
    }

    pub(super) fn to(&self, member: &MemberId) -> impl Iterator<Item = (LinkId, &Link)> {
        let of_member = self.open.iter().filter(move |(_, (of, _))| of == member);
        of_member.map(|(id, (_, link))| (*id, link))
    }

    /// The links to a member whose `bulk` channel is open.
    pub(super) fn with_bulk(&self, member: &MemberId) -> impl Iterator<Item = &Link> {
        self.to(member).map(|(_, link)| link).filter(|link| link.is_bulk_open)
    }

    /// Passes on that the server has other ICE servers now.
    pub(super) fn set_ice_servers(&self, servers: &[IceServer]) {
        let servers = self.ice_servers(servers);
        self.all().for_each(|link| link.set_ice_servers(servers.to_vec()));
    }

    fn ice_servers<'a>(&'a self, servers: &'a [IceServer]) -> &'a [IceServer] {
        if self.own_ice_servers.is_empty() { servers } else { &self.own_ice_servers }
    }
}
