//! One visit to a room: what all commands have in common.

use std::{collections::BTreeMap, io, time::Duration};

use sightline_core::{
    chat::MessageNumber,
    measure::{MemberFigures, RunProgress},
    notice::NoticeCode,
    room::RoomEvent,
    signaling::SignalingStatus,
    transfer::{Records, TransferHandle},
    trust::{ShortCode, Verification, Verified},
};
use sightline_protocol::MemberId;
use tokio::time::Instant;

use super::{
    code::{self, Command},
    interrupts::Interrupts,
    output::{Event, Output},
    seat::Seat,
    setup, warn_of_insecurity,
};
use crate::{
    clock::until,
    failure::{Exit, Failure},
    media::Source,
    options::MemberOptions,
    peer::{Peer, PeerEvent, Setup, Storage, Watch},
};

/// After this time a person is told what the end of a command waits for.
const QUIETLY: Duration = Duration::from_secs(2);
/// How long a command that has done its work lets the others confirm the last messages. After an interruption SCTP may be silent for
/// 16 seconds before it sends a message once more, and the datagram may be lost.
const FINISHING: Duration = Duration::from_secs(30);

/// What a command hears of.
#[derive(Debug)]
pub(super) enum Happening {
    /// The room was entered, with this token for another process.
    Entered(String),
    /// The room has another secret.
    LinkChanged,
    /// Messages and files can reach this member now.
    Connected,
    /// A member left for good.
    Left(MemberId),
    /// A message is new, or its state changed.
    Message(MessageNumber),
    /// A transfer changed.
    Transfer(TransferHandle),
    /// The disk is full, and what arrived of this file stays.
    DiskFull(TransferHandle),
    /// The standard output, which takes a received file, cannot be written any more.
    OutputFailed(io::Error),
    /// The records of transfers changed.
    RecordsChanged,
    /// A member gets the pictures of this member's source from now on.
    Watching(MemberId),
    /// A member cannot decode the pictures of this member's source.
    CodecMissing(MemberId),
    /// The new figures of a member that is watched.
    Figures(MemberId, Box<MemberFigures>),
    /// The progress of the run.
    Run(RunProgress),
    /// Time passed: the wait for company is over. Only if the command set a deadline.
    Alone,
    /// Something else, after which the session may be further.
    Other,
}

/// A member in a room, and what it prints.
pub(super) struct Visit<'a> {
    pub(super) peer: Peer,
    pub(super) output: &'a mut Output,
    /// The members whose coming was printed, with their names.
    names: BTreeMap<MemberId, String>,
    /// What was printed of the codes of the members.
    codes: BTreeMap<MemberId, Verification>,
    /// The members that messages can reach.
    connected: Vec<MemberId>,
    has_entered: bool,
    /// Whether a server that was never reached is asked again.
    is_patient: bool,
    /// Whether who comes and leaves is a result of the command, and not a note.
    prints_members: bool,
    /// Whether a person reads the codes who can compare them.
    prints_codes: bool,
    /// When it is too late for company.
    deadline: Option<Instant>,
    /// When the others have had enough time to confirm the last messages, once the command has done its work.
    finished_by: Option<Instant>,
    /// Whether the person knows what the end of the command waits for.
    is_told_to_wait: bool,
    interrupts: Interrupts,
}

impl<'a> Visit<'a> {
    /// Enters the room.
    pub(super) fn begin(
        options: &MemberOptions,
        output: &'a mut Output,
        storage: Option<Storage>,
        kept: Option<(String, Records)>,
    ) -> Result<Self, Failure> {
        let mut setup = setup(options)?;
        if let Some(storage) = storage {
            setup.storage = storage;
        }
        Self::begin_with(setup, options, output, kept)
    }

    /// Enters the room, and shows a source to the others.
    pub(super) fn begin_showing(
        options: &MemberOptions,
        output: &'a mut Output,
        source: Source,
    ) -> Result<Self, Failure> {
        Self::begin_with(Setup { source: Some(source), ..setup(options)? }, options, output, None)
    }

    /// Enters the room, and receives the pictures and the sound of the others.
    pub(super) fn begin_watching(
        options: &MemberOptions,
        output: &'a mut Output,
        watch: Watch,
    ) -> Result<Self, Failure> {
        Self::begin_with(Setup { watch: Some(watch), ..setup(options)? }, options, output, None)
    }

    fn begin_with(
        mut setup: Setup,
        options: &MemberOptions,
        output: &'a mut Output,
        kept: Option<(String, Records)>,
    ) -> Result<Self, Failure> {
        let (resume, records) = kept.map_or((None, None), |(resume, records)| (Some(resume), Some(records)));
        setup.resume = resume;
        warn_of_insecurity(&options.common, output)?;
        let interrupts = Interrupts::new()?;
        let peer = Peer::enter(setup, records)?;
        Ok(Self {
            peer,
            output,
            names: BTreeMap::new(),
            codes: BTreeMap::new(),
            connected: Vec::new(),
            has_entered: false,
            is_patient: false,
            prints_members: false,
            prints_codes: false,
            deadline: None,
            finished_by: None,
            is_told_to_wait: false,
            interrupts,
        })
    }

    /// Prints who comes and leaves on the standard output.
    pub(super) fn print_members(&mut self) {
        self.prints_members = true;
    }

    /// Prints the codes that members compare by voice.
    pub(super) fn print_codes(&mut self) {
        self.prints_codes = true;
    }

    /// Asks a server that cannot be reached again and again.
    pub(super) fn wait_for_server(&mut self) {
        self.is_patient = true;
    }

    /// Ends the command with exit code 5 if nobody is connected after `wait`.
    pub(super) fn wait_for_company(&mut self, wait: Duration) {
        self.deadline = Some(Instant::now() + wait);
    }

    /// Takes the deadline back: there is nothing to wait for.
    pub(super) fn stop_waiting(&mut self) {
        self.deadline = None;
    }

    /// Whether messages can reach somebody.
    pub(super) fn has_company(&self) -> bool {
        !self.connected.is_empty()
    }

    /// The name of a member, for a person: its id if it gave none.
    pub(super) fn name_of(&self, member: &MemberId) -> String {
        self.names
            .get(member)
            .filter(|name| !name.is_empty())
            .cloned()
            .unwrap_or_else(|| member.as_str().to_owned())
    }

    /// Waits for the next event. May be dropped and called again at any time.
    ///
    /// # Errors
    /// The [`Failure`] that ends the command.
    pub(super) async fn next(&mut self) -> Result<Happening, Failure> {
        let deadline = self.deadline.filter(|_| self.connected.is_empty());
        let event = tokio::select! {
            biased;
            () = self.interrupts.next() => return Err(Failure::interrupted()),
            event = self.peer.next_event() => event,
            () = until(deadline) => {
                self.deadline = None;
                return Ok(Happening::Alone);
            }
        };
        self.take(event).map(|happening| happening.unwrap_or(Happening::Other))
    }

    /// Stores the seat for another process if it changed.
    pub(super) fn keep(&self, seat: &mut Seat) -> Result<(), Failure> {
        let stored = seat.store(&self.peer.session().transfers().records(), self.peer.now());
        let Err(error) = stored else { return Ok(()) };
        let sentence = format!(
            "Another process cannot continue this command, since its state cannot be stored: {error}."
        );
        self.output.warning("state-not-stored", &sentence)
    }

    /// Leaves the room, or keeps the seat for another process if there is something to go on with. A command that has done its work waits
    /// until the others know.
    pub(super) async fn end(mut self, seat: &Seat, result: &Result<(), Failure>) {
        if seat.end(result, &self.peer.session().transfers().records()) {
            self.peer.close().await;
        } else {
            if result.is_ok() {
                while let Ok(Some(_)) = self.next_before_leaving().await {}
            }
            self.peer.leave().await;
        }
    }

    /// Waits for the next event. `None` once there is nothing to wait for: the others have confirmed the last messages, take longer than
    /// [`FINISHING`], or the command was interrupted.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub(super) async fn next_before_leaving(&mut self) -> Result<Option<Happening>, Failure> {
        let now = Instant::now();
        let ends = *self.finished_by.get_or_insert(now + FINISHING);
        let told = ends - FINISHING + QUIETLY;
        loop {
            tokio::select! {
                biased;
                () = self.interrupts.next() => return Ok(None),
                // Before the events, of which a member may send many.
                () = until(Some(ends)) => return Ok(None),
                event = self.peer.next_event_until_acknowledged() => {
                    let Some(event) = event else { return Ok(None) };
                    return self.take(event).map(|happening| Some(happening.unwrap_or(Happening::Other)));
                }
                () = until(Some(told).filter(|_| !self.is_told_to_wait)) => {
                    self.is_told_to_wait = true;
                    self.output.note("Waiting until the others confirm the last messages. Ctrl-C ends at once.");
                }
            }
        }
    }

    /// The failure where nobody came.
    pub(super) fn nobody_came(&self) -> Failure {
        if self.names.is_empty() {
            Failure::new(Exit::Alone, "nobody-came", "Nobody came to the room in time.")
        } else {
            let sentence = "Somebody is in the room, and no connection to them came up in time.";
            Failure::new(Exit::Alone, "connection-failed", sentence)
        }
    }

    fn take(&mut self, event: PeerEvent) -> Result<Option<Happening>, Failure> {
        match event {
            PeerEvent::Room(event) => self.take_room(event),
            PeerEvent::Transfer(handle) => Ok(Some(Happening::Transfer(handle))),
            PeerEvent::DiskFull(handle) => Ok(Some(Happening::DiskFull(handle))),
            PeerEvent::OutputFailed(error) => Ok(Some(Happening::OutputFailed(error))),
            PeerEvent::RecordsChanged => Ok(Some(Happening::RecordsChanged)),
            PeerEvent::Watching(member) => Ok(Some(Happening::Watching(member))),
            PeerEvent::CodecMissing(member) => Ok(Some(Happening::CodecMissing(member))),
            PeerEvent::Figures(member, figures) => Ok(Some(Happening::Figures(member, figures))),
            PeerEvent::Run(progress) => Ok(Some(Happening::Run(progress))),
            PeerEvent::NoConnection(member, reason) => {
                let name = self.name_of(&member);
                self.output.detail(&format!("No peer connection to {name} can be made: {reason}"));
                Ok(None)
            }
            // A server that answered before is asked again; one that never did may have another address.
            PeerEvent::NotConnected(failure)
                if (self.has_entered || self.is_patient) && failure.exit == Exit::Unreachable =>
            {
                self.output.detail(&failure.to_string());
                Ok(None)
            }
            PeerEvent::NotConnected(failure) => Err(failure),
        }
    }

    fn take_room(&mut self, event: RoomEvent) -> Result<Option<Happening>, Failure> {
        match event {
            RoomEvent::Entered { you, resume } => {
                if !std::mem::replace(&mut self.has_entered, true) {
                    let room = self.peer.room().to_string();
                    self.output.note(&format!("In the room {room}."));
                    self.output.event(&Event::Entered { room: &room, you: you.as_str() }, None)?;
                }
                return Ok(Some(Happening::Entered(resume)));
            }
            RoomEvent::TokenChanged(resume) => return Ok(Some(Happening::Entered(resume))),
            RoomEvent::LinkChanged(_) => {
                let link = self.peer.address().invitation();
                self.output.note(&format!("A host removed somebody. The link to this room is now {link}"));
                self.output.event(&Event::LinkChanged { link: &link }, None)?;
                return Ok(Some(Happening::LinkChanged));
            }
            RoomEvent::Raised(code) => return self.take_notice(code).map(|()| None),
            RoomEvent::Status(SignalingStatus::Reconnecting) => {
                self.output.note("The connection to the server is lost; connecting again.");
            }
            RoomEvent::Status(status) => self.output.detail(&format!("Signaling is {}.", status.as_str())),
            RoomEvent::PeerChanged(member) => {
                self.meet(&member)?;
                self.show_code(&member)?;
            }
            RoomEvent::PeerGone(member) => {
                self.connected.retain(|connected| *connected != member);
                self.codes.remove(&member);
                if let Some(name) = self.names.remove(&member) {
                    let event = Event::MemberLeft { id: member.as_str(), name: &name };
                    self.print_member(&event, &format!("* {} left", shown(&name, &member)))?;
                    return Ok(Some(Happening::Left(member)));
                }
            }
            RoomEvent::ChatChanged(number) => return Ok(Some(Happening::Message(number))),
            RoomEvent::WayOpen(member) => {
                self.meet(&member)?;
                if !self.connected.contains(&member) {
                    let name = self.names.get(&member).map_or("", String::as_str);
                    if self.reports_members() {
                        let event = Event::MemberConnected { id: member.as_str(), name };
                        self.output.event(&event, None)?;
                    }
                    self.output.detail(&format!("Connected to {}.", shown(name, &member)));
                    self.connected.push(member);
                }
                return Ok(Some(Happening::Connected));
            }
            RoomEvent::SignalRefused(member, refusal) => {
                let name = self.name_of(&member);
                self.output.detail(&format!("A signal of {name} was refused: {}.", refusal.as_str()));
            }
            RoomEvent::NegotiationBroken(member, _, cause) => {
                let name = self.name_of(&member);
                self.output
                    .detail(&format!("Negotiation with {name} broke: {}: {}", cause.name, cause.message));
            }
            RoomEvent::Cleared(_)
            | RoomEvent::HostingChanged
            | RoomEvent::ChatForgotten(_)
            | RoomEvent::Run(..)
            | RoomEvent::Reacted(..) => {}
        }
        Ok(None)
    }

    fn take_notice(&mut self, code: NoticeCode) -> Result<(), Failure> {
        if let Some(failure) = end_by_notice(code, &self.peer, self.has_entered || self.is_patient) {
            return Err(failure);
        }
        let sentence = match code {
            // The session goes on to connect.
            NoticeCode::ServerUnreachable => return Ok(()),
            NoticeCode::SignalingLost => "The connection to the server is lost; connecting again.",
            NoticeCode::ConnectionFailed => "No network path to a member was found.",
            NoticeCode::SignalsRefused => {
                "Something sent in the name of a member does not come from it, and nothing of it was used. The server or a network on the \
                 way may be trying to listen in."
            }
            NoticeCode::MemberMuted => "A member sends more than is allowed; the excess is dropped.",
            NoticeCode::MemberCutOff => {
                "A member went on sending more than is allowed; its connection is closed."
            }
            _ => "The session has a problem.",
        };
        self.output.warning(code.as_str(), sentence)
    }

    /// Whether the command says who comes and leaves. After its result it does so only if that is a result too.
    fn reports_members(&self) -> bool {
        self.prints_members || self.finished_by.is_none()
    }

    fn print_member(&self, event: &Event<'_>, line: &str) -> Result<(), Failure> {
        if !self.reports_members() {
            return Ok(());
        }
        if !self.prints_members {
            self.output.note(line);
        }
        self.output.event(event, self.prints_members.then_some(line))
    }

    /// Prints the code of a member when there is another one, and what became of the comparison.
    fn show_code(&mut self, member: &MemberId) -> Result<(), Failure> {
        let verification = self.peer.session().peer_trust().verification(member);
        let before = self.codes.insert(member.clone(), verification).unwrap_or_default();
        let name = self.name_of(member);
        if let Some(code) = verification.code.filter(|_| verification.code != before.code) {
            let event = Event::Code { id: member.as_str(), name: &name, words: code::words(code) };
            let line = code_line(&name, code);
            if self.prints_codes {
                self.output.note(&line);
            } else {
                self.output.detail(&line);
            }
            self.output.event(&event, None)?;
        }
        match verification.verified {
            verified if verified == before.verified => Ok(()),
            Verified::Never => Ok(()),
            Verified::Matched => {
                self.output.note(&format!("Verified: nobody stands between you and {name}."));
                Ok(())
            }
            Verified::Changed => self.output.warning(
                "code-changed",
                &format!("{name} has other keys than when you compared the code. Compare it again."),
            ),
        }
    }

    /// Does what a person typed.
    pub(super) fn handle_command(&mut self, command: &Command<'_>) {
        match command {
            Command::Members => self.list_members(),
            Command::Code(name) => self.list_codes(*name),
            Command::Verified(name) => match self.codes_of(Some(name))[..] {
                [(ref member, Some(code))] => self.peer.set_code_matching(member, code),
                [_, _, ..] => self.output.note("Several members have this name: ask them for another one."),
                _ => self.output.note(NO_CODE),
            },
        }
    }

    fn list_members(&self) {
        let names = self.names.iter().map(|(member, name)| {
            let state = if self.connected.contains(member) { "" } else { " (connecting)" };
            format!("{}{state}", shown(name, member))
        });
        let names: Vec<_> = names.collect();
        let names = if names.is_empty() { "nobody else".to_owned() } else { names.join(", ") };
        self.output.note(&format!("Here: {names}."));
    }

    fn list_codes(&self, wanted: Option<&str>) {
        let codes = self.codes_of(wanted);
        for (member, code) in &codes {
            let name = self.name_of(member);
            let line = code.map_or_else(
                || format!("* no code with {name}: it has an earlier version, or has not answered"),
                |code| code_line(&name, code),
            );
            self.output.note(&line);
        }
        if codes.is_empty() {
            self.output.note(NO_CODE);
        }
    }

    /// The members with this name, or all, each with its code.
    fn codes_of(&self, wanted: Option<&str>) -> Vec<(MemberId, Option<ShortCode>)> {
        let members = self.codes.iter().map(|(member, shown)| (member.clone(), shown.code));
        let is_wanted = |member: &MemberId| wanted.is_none_or(|wanted| wanted == self.name_of(member));
        members.filter(|(member, _)| is_wanted(member)).collect()
    }

    /// Prints that a member came, once.
    fn meet(&mut self, member: &MemberId) -> Result<(), Failure> {
        let Some(view) = self.peer.session().peer(member) else { return Ok(()) };
        let name = view.member.name.as_str().to_owned();
        if self.names.contains_key(member) {
            return Ok(());
        }
        let event = Event::MemberCame { id: member.as_str(), name: &name };
        self.print_member(&event, &format!("* {} is here", shown(&name, member)))?;
        self.names.insert(member.clone(), name);
        Ok(())
    }
}

const NO_CODE: &str = "There is nobody with this name and a code.";

fn code_line(name: &str, code: ShortCode) -> String {
    format!("* code with {name}: {}", code::spoken(code))
}

/// The failure for a problem that ends the session. A server that answered before is asked again.
pub(super) fn end_by_notice(code: NoticeCode, peer: &Peer, has_entered: bool) -> Option<Failure> {
    let goes_on = code == NoticeCode::ServerUnreachable && has_entered;
    Failure::of_notice(code, &peer.server()).filter(|_| !goes_on)
}

fn shown<'a>(name: &'a str, member: &'a MemberId) -> &'a str {
    if name.is_empty() { member.as_str() } else { name }
}
