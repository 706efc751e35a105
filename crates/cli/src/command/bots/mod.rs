//! `bots`: several members in one process, to load a room and a server.

mod bot;
mod tally;

use std::{fmt::Write, time::Duration};

use sightline_protocol::{DisplayName, MemberId};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::Instant,
};

pub(super) use self::tally::Totals;
use self::{
    bot::{Bot, BotEvent, Order, Schedule},
    tally::Tally,
};
use super::{
    interrupts::Interrupts,
    output::{Event, Output},
    provide, setup, warn_of_insecurity,
};
use crate::{
    clock::until,
    failure::{Exit, Failure},
    media::Source,
    options::BotsOptions,
    peer::{Peer, Setup},
};

/// Events of bots that wait to be counted. Bots wait where there is no room.
const MAX_EVENTS: usize = 1024;
/// How often the totals are printed.
const TOTALS_INTERVAL: Duration = Duration::from_secs(5);
/// How long the last messages may take to be delivered.
const DELIVERY: Duration = Duration::from_secs(10);
/// How long all bots may take to leave.
const LEAVING: Duration = Duration::from_secs(5);

pub(super) async fn run(options: &BotsOptions, output: &mut Output) -> Result<(), Failure> {
    let setup = setup(&options.member)?;
    let source = match &options.provide {
        Some(path) => Some(provide::open_described(path, true, output).await?),
        None => None,
    };
    warn_of_insecurity(&options.member.common, output)?;
    let (needed, allowed) = (files_of(options.count.into()), file_limit());
    if let Some(allowed) = allowed.filter(|allowed| *allowed < needed) {
        let sentence = format!(
            "{} bots need about {needed} open files, and this process may have {allowed}: not all will connect.",
            options.count
        );
        output.warning("few-files", &sentence)?;
    }
    let (to, events) = mpsc::channel(MAX_EVENTS);
    let mut bots = Bots {
        setup: Setup { source: source.clone(), ..setup },
        every: (options.every > 0).then(|| Duration::from_secs(options.every)),
        source,
        count: usize::from(options.count),
        started: 0,
        tally: Tally::new(usize::from(options.count)),
        orders: watch::Sender::new(Order::Write),
        tasks: JoinSet::new(),
        to,
        output,
        first_failure: None,
        running: 0,
        has_told_of_codec: false,
    };
    let mut interrupts = Interrupts::new()?;
    let result = tokio::select! {
        biased;
        () = interrupts.next() => Err(Failure::interrupted()),
        // The queue of events ends here, so that no bot waits for room in it while it should leave.
        result = bots.run(options, events) => result,
    };
    bots.end(result).await
}

/// Sockets of one end of a peer connection: an address of each family, this computer itself, mDNS, and a relay by TCP.
const SOCKETS_OF_END: u64 = 5;
/// Files of the program itself, and the socket of a bot to the server.
const OTHER_FILES: u64 = 32;

/// How many files this number of bots needs, all of them connected to each other.
fn files_of(bots: u64) -> u64 {
    bots * bots.saturating_sub(1) * SOCKETS_OF_END + bots + OTHER_FILES
}

/// How many files this process may open, after it has asked for as many as it can have: often that is 1024, enough for 16 bots.
#[cfg(unix)]
fn file_limit() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    getrlimit(Resource::Nofile).current
}

#[cfg(not(unix))]
fn file_limit() -> Option<u64> {
    None
}

struct Bots<'a> {
    setup: Setup,
    every: Option<Duration>,
    source: Option<Source>,
    count: usize,
    started: usize,
    /// The bots that were started and have not failed.
    running: usize,
    tally: Tally,
    orders: watch::Sender<Order>,
    tasks: JoinSet<()>,
    to: mpsc::Sender<(usize, BotEvent)>,
    output: &'a Output,
    first_failure: Option<Failure>,
    has_told_of_codec: bool,
}

impl Bots<'_> {
    async fn run(
        &mut self,
        options: &BotsOptions,
        mut events: mpsc::Receiver<(usize, BotEvent)>,
    ) -> Result<(), Failure> {
        let mut company_due = options.member.wait.map(|wait| Instant::now() + Duration::from_secs(wait));
        let mut ends_at = None;
        let mut totals_at = Instant::now() + TOTALS_INTERVAL;
        self.start_next()?;
        loop {
            let order = *self.orders.borrow();
            if order == Order::Listen && self.tally.messages_under_way() == 0 {
                return Ok(());
            }
            tokio::select! {
                Some((at, event)) = events.recv() => {
                    let begins = self.handle(at, event)?;
                    if self.running == 0 {
                        return Ok(());
                    }
                    if begins && let Some(seconds) = options.seconds {
                        // A bot that lost the server enters again.
                        ends_at.get_or_insert(Instant::now() + Duration::from_secs(seconds));
                    }
                }
                () = tokio::time::sleep_until(totals_at) => {
                    totals_at = Instant::now() + TOTALS_INTERVAL;
                    let totals = self.tally.totals();
                    self.output.detail(&sentence(&totals));
                    self.output.event(&Event::Totals(&totals), None)?;
                }
                () = until(company_due) => {
                    company_due = None;
                    let totals = self.tally.totals();
                    if totals.connected_pairs + totals.other_connections == 0 {
                        let sentence = "No connection between a bot and anybody else came up in time.";
                        return Err(Failure::new(Exit::Alone, "nobody-came", sentence));
                    }
                }
                () = until(ends_at) => {
                    if order == Order::Listen {
                        return Ok(());
                    }
                    self.orders.send_replace(Order::Listen);
                    ends_at = Some(Instant::now() + DELIVERY);
                }
            }
        }
    }

    /// Counts an event. Returns whether all bots are in the room from now on, or as many as the room takes.
    fn handle(&mut self, at: usize, event: BotEvent) -> Result<bool, Failure> {
        self.tally.handle(at, &event);
        let is_newest = at + 1 == self.started;
        match event {
            BotEvent::Entered(id) => {
                self.show_entry(at, &id)?;
                if is_newest && self.started < self.count {
                    self.start_next()?;
                    return Ok(false);
                }
                return Ok(is_newest);
            }
            BotEvent::Reconnecting => {
                let bot = at + 1;
                self.output.note(&format!("Bot {bot} lost the server; connecting again."));
                self.output.event(&Event::Bot { bot, state: "reconnecting", id: None }, None)?;
            }
            BotEvent::Watching(_) => {
                if let Some(source) = &self.source {
                    source.play();
                }
            }
            BotEvent::CodecMissing if !std::mem::replace(&mut self.has_told_of_codec, true) => {
                self.output.warning("codec-missing", "A member cannot decode the video.")?;
            }
            BotEvent::Failed(failure) => {
                self.running -= 1;
                let bot = at + 1;
                self.output.event(&Event::Bot { bot, state: "failed", id: None }, None)?;
                self.output.warning(failure.code, &format!("Bot {bot}: {}", failure.sentence))?;
                self.first_failure.get_or_insert(failure);
                // The next one would be refused for the same reason.
                if is_newest && self.started < self.count {
                    self.count = self.started;
                    return Ok(true);
                }
            }
            _ => {}
        }
        Ok(false)
    }

    fn show_entry(&self, at: usize, id: &MemberId) -> Result<(), Failure> {
        let bot = at + 1;
        self.output.detail(&format!("Bot {bot} is in the room."));
        self.output.event(&Event::Bot { bot, state: "entered", id: Some(id.as_str()) }, None)?;
        if bot == self.count {
            let room = self.setup.address.room();
            self.output.note(&format!("{bot} bot(s) in the room {room}."));
        }
        Ok(())
    }

    fn start_next(&mut self) -> Result<(), Failure> {
        let at = self.started;
        let name = format!("{} {}", self.setup.name, at + 1);
        let name = DisplayName::new(&name).map_err(|error| {
            Failure::new(Exit::Usage, "name-invalid", format!("This name cannot be shown: {error}."))
        })?;
        let peer = Peer::enter(Setup { name, ..self.setup.clone() }, None)?;
        let every = self.every;
        // Spread over the interval, whatever the number of bots.
        let position = u32::try_from(at).unwrap_or_default();
        let of = u32::try_from(self.count.max(1)).unwrap_or(1);
        let first_after = every.unwrap_or_default() * position / of;
        let states = self.source.as_ref().map(Source::states);
        let bot = Bot::new(at, peer, Schedule { every, first_after }, states, self.to.clone());
        self.tasks.spawn(bot.run(self.orders.subscribe()));
        self.started += 1;
        self.running += 1;
        Ok(())
    }

    /// Prints the totals, and lets all bots leave.
    async fn end(mut self, result: Result<(), Failure>) -> Result<(), Failure> {
        let totals = self.tally.totals();
        let under_way = self.tally.messages_under_way();
        self.orders.send_replace(Order::Leave);
        let left = async { while self.tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LEAVING, left).await;
        self.output.event(&Event::Summary(&totals), Some(&sentence(&totals)))?;
        result?;
        if let Some(failure) = self.first_failure {
            return Err(failure);
        }
        if totals.connected_pairs < totals.pairs {
            let missing = totals.pairs - totals.connected_pairs;
            let sentence = format!("{missing} of {} pairs of bots are not connected.", totals.pairs);
            return Err(Failure::new(Exit::Alone, "connection-failed", sentence));
        }
        if totals.messages_undeliverable + under_way > 0 {
            let sentence = "Not every message reached everyone who was in the room.";
            return Err(Failure::new(Exit::TransferFailed, "not-delivered", sentence));
        }
        Ok(())
    }
}

fn sentence(totals: &Totals) -> String {
    let mut sentence = format!(
        "{} of {} bots joined, {} of {} pairs connected",
        totals.joined, totals.bots, totals.connected_pairs, totals.pairs
    );
    if totals.other_connections > 0 {
        let _ = write!(sentence, ", {} connections to others", totals.other_connections);
    }
    if totals.viewers > 0 {
        let _ = write!(sentence, ", {} viewers", totals.viewers);
    }
    let _ = write!(
        sentence,
        "; {} messages sent, {} received, {} not delivered; {} reconnections to the server, {} to members.",
        totals.messages_sent,
        totals.messages_received,
        totals.messages_undeliverable,
        totals.server_reconnections,
        totals.peer_reconnections
    );
    sentence
}
