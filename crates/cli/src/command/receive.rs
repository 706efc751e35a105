//! `receive`: stores the files that others offer.

use std::{collections::VecDeque, fs, io::IsTerminal, path::Path, time::Duration};

use sightline_core::transfer::{Direction, TransferHandle, TransferState, TransferView};
use tokio::sync::mpsc;

use super::{
    lines::{Line, read_lines},
    output::{Event, Output},
    progress::Progress,
    saving::save,
    seat::Seat,
    visit::{Happening, Visit},
};
use crate::{
    address::RoomAddress,
    failure::{DISK_FULL, Exit, Failure},
    files::part_path,
    options::{Acceptance, ReceiveOptions, STANDARD_STREAM},
    peer::Storage,
};

pub(super) async fn run(options: &ReceiveOptions, output: &mut Output) -> Result<(), Failure> {
    let address = options.member.address()?;
    let policy = Policy::of(options)?;
    let storage = storage(options)?;
    if storage == Storage::Output {
        output.keep_stdout();
    }
    let seat = seat(&storage, &address);
    let kept = seat.load();
    let answers = if policy == Policy::Ask { Some(read_lines()?) } else { None };
    let mut visit = Visit::begin(&options.member, output, Some(storage.clone()), kept)?;
    if options.daemon {
        visit.wait_for_server();
    }
    let mut receive = Receive {
        visit,
        seat,
        ends_after_first: options.once || storage == Storage::Output,
        storage,
        only: None,
        policy,
        answers,
        questions: VecDeque::new(),
        progress: Progress::default(),
    };
    let result = receive.run(options.member.wait.map(Duration::from_secs)).await;
    receive.progress.report(receive.visit.output);
    receive.visit.end(&receive.seat, &result).await;
    result
}

/// Where the files go: into the directory, which is made if it is missing, or to the standard output.
fn storage(options: &ReceiveOptions) -> Result<Storage, Failure> {
    let folder = options.into.clone();
    if folder.as_os_str() != STANDARD_STREAM {
        fs::create_dir_all(&folder).map_err(|error| {
            let sentence = format!("The directory {} cannot be made: {error}.", folder.display());
            Failure::new(Exit::Local, "storage-refused", sentence)
        })?;
        return Ok(Storage::Folder(folder));
    }
    if options.daemon {
        let sentence = "The standard output takes one file, and --daemon stays for more.";
        return Err(Failure::new(Exit::Usage, "one-file-only", sentence));
    }
    Ok(Storage::Output)
}

fn seat(storage: &Storage, address: &RoomAddress) -> Seat {
    match storage {
        Storage::Folder(folder) => Seat::of_folder(folder, address),
        Storage::Output => Seat::of_nothing(address),
    }
}

/// Which files are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Policy {
    All,
    Ask,
    From(Vec<String>),
}

impl Policy {
    fn of(options: &ReceiveOptions) -> Result<Self, Failure> {
        if !options.from.is_empty() {
            return Ok(Self::From(options.from.clone()));
        }
        match options.accept {
            Some(Acceptance::All) => Ok(Self::All),
            Some(Acceptance::Ask) => Ok(Self::Ask),
            None if std::io::stdin().is_terminal() => Ok(Self::Ask),
            None => {
                let sentence =
                    "There is nobody to ask which files to accept: give --accept all or --from NAME.";
                Err(Failure::new(Exit::Usage, "acceptance-needed", sentence))
            }
        }
    }
}

struct Receive<'a> {
    visit: Visit<'a>,
    seat: Seat,
    storage: Storage,
    /// The file that goes to the standard output, if that takes one and was offered it.
    only: Option<TransferHandle>,
    policy: Policy,
    /// The answers of the person, if questions are asked.
    answers: Option<mpsc::Receiver<Line>>,
    /// The files that the person is asked about, one after the other.
    questions: VecDeque<TransferHandle>,
    progress: Progress,
    ends_after_first: bool,
}

impl Receive<'_> {
    async fn run(&mut self, wait: Option<Duration>) -> Result<(), Failure> {
        if let Some(wait) = wait {
            self.visit.wait_for_company(wait);
        }
        loop {
            let is_asking = !self.questions.is_empty();
            tokio::select! {
                happening = self.visit.next() => self.take(happening?)?,
                line = next_answer(&mut self.answers), if is_asking => self.answer(line)?,
            }
            self.visit.keep(&mut self.seat)?;
            if !self.ends_after_first {
                self.progress.report(self.visit.output);
            }
            if self.ends_after_first && !self.visit.peer.has_events() && self.is_done() {
                return self.progress.result();
            }
        }
    }

    fn take(&mut self, happening: Happening) -> Result<(), Failure> {
        match happening {
            Happening::Entered(resume) => self.seat.set_resume(resume),
            Happening::LinkChanged => {
                self.seat.move_to(seat(&self.storage, self.visit.peer.address()));
            }
            Happening::Connected => self.visit.stop_waiting(),
            Happening::Transfer(handle) => self.show(handle)?,
            Happening::DiskFull(handle) => return Err(self.disk_full(handle)),
            Happening::OutputFailed(error) => return Err(Failure::of_output(&error)),
            Happening::RecordsChanged => self.seat.note_change(),
            Happening::Alone => return Err(self.visit.nobody_came()),
            Happening::Left(_)
            | Happening::Message(_)
            | Happening::Watching(_)
            | Happening::CodecMissing(_)
            | Happening::Figures(..)
            | Happening::Run(_)
            | Happening::Other => {}
        }
        Ok(())
    }

    fn show(&mut self, handle: TransferHandle) -> Result<(), Failure> {
        let Some(view) = self.visit.peer.session().transfers().view(handle) else {
            self.progress.handle_forgotten(handle);
            self.drop_question(handle);
            return Ok(());
        };
        if view.direction != Direction::Receiving || self.progress.is_over(handle) {
            return Ok(());
        }
        let name = self.visit.name_of(&view.member);
        if view.state == TransferState::Offered && view.end.is_none() {
            self.progress.show(self.visit.output, handle, &view, &name, None)?;
            return self.decide(handle, &view, &name);
        }
        if view.state != TransferState::Done {
            if view.state.is_over() {
                self.drop_question(handle);
            }
            return self.progress.show(self.visit.output, handle, &view, &name, None);
        }
        let Storage::Folder(folder) = &self.storage else {
            let path = Path::new(STANDARD_STREAM);
            return self.progress.show(self.visit.output, handle, &view, &name, Some(path));
        };
        match save(folder, &view) {
            Ok(path) => self.progress.show(self.visit.output, handle, &view, &name, Some(&path)),
            Err(error) => {
                // A member chooses name and folder, so they must not end a command that receives other files, too.
                let part = part_path(folder, &view.id);
                let sentence = format!("{} arrived and stays in {}: {error}.", view.name, part.display());
                let event = Event::Warning { code: "storage-refused", sentence: &sentence };
                self.visit.output.event(&event, None)?;
                let failure = Failure::new(Exit::TransferFailed, "storage-refused", sentence);
                self.progress.forget(handle);
                self.progress.fail(failure, self.visit.output);
                Ok(())
            }
        }
    }

    /// The failure for a disk that became full while a file arrived: no other file has a place either.
    fn disk_full(&self, handle: TransferHandle) -> Failure {
        let view = self.visit.peer.session().transfers().view(handle);
        let (name, bytes) = view.map_or_else(Default::default, |view| (view.name, view.bytes));
        let sentence = format!(
            "The disk is full after {bytes} bytes of {name}. Make room: the same command goes on where it was."
        );
        Failure::new(Exit::TransferFailed, DISK_FULL, sentence)
    }

    fn decide(&mut self, handle: TransferHandle, view: &TransferView, name: &str) -> Result<(), Failure> {
        match &self.policy {
            Policy::All => self.accept(handle),
            Policy::From(names) if names.iter().any(|wanted| wanted == name) => self.accept(handle),
            Policy::From(_) => {
                self.visit.output.note(&format!("Declined {} of {name}.", view.name));
                self.progress.pass_over(handle);
                self.visit.peer.decline(handle);
            }
            Policy::Ask => {
                if !self.questions.contains(&handle) {
                    self.questions.push_back(handle);
                    if self.questions.len() == 1 {
                        self.ask();
                    }
                }
            }
        }
        Ok(())
    }

    /// Accepts a file. The standard output takes only the first one.
    fn accept(&mut self, handle: TransferHandle) {
        if self.storage != Storage::Output || *self.only.get_or_insert(handle) == handle {
            return self.visit.peer.accept(handle);
        }
        if let Some(view) = self.visit.peer.session().transfers().view(handle) {
            let name = view.name;
            self.visit.output.note(&format!("Declined {name}: the standard output takes one file."));
        }
        self.progress.pass_over(handle);
        self.visit.peer.decline(handle);
    }

    /// Removes a withdrawn offer, so that they do not pile up while the person thinks. The question that is on the screen stays:
    /// its answer must not be taken for that of the next one.
    fn drop_question(&mut self, handle: TransferHandle) {
        let asked = self.questions.front().copied();
        self.questions.retain(|waiting| *waiting != handle || Some(handle) == asked);
    }

    /// Asks about the first file that waits for an answer.
    fn ask(&mut self) {
        while let Some(handle) = self.questions.front() {
            let view = self.visit.peer.session().transfers().view(*handle);
            if let Some(view) = view.filter(|view| view.state == TransferState::Offered && view.end.is_none())
            {
                let name = self.visit.name_of(&view.member);
                let size = indicatif::HumanBytes(view.size_bytes);
                let path =
                    if view.folder.is_empty() { view.name } else { format!("{}/{}", view.folder, view.name) };
                return self.visit.output.ask(&format!("{name} offers {path} ({size}). Accept? [y/N/all]"));
            }
            // The offer was withdrawn.
            self.questions.pop_front();
        }
    }

    fn answer(&mut self, line: Option<Line>) -> Result<(), Failure> {
        let text = match line {
            Some(Line::Text(text)) => text,
            // No answer is that long, so it is not yes.
            Some(Line::TooLong) => String::new(),
            Some(Line::Interrupted) => return Err(Failure::interrupted()),
            Some(Line::Unreadable(error)) => return Err(Failure::of_input(&error)),
            None => {
                let sentence = "The standard input ended before the question was answered.";
                return Err(Failure::new(Exit::Local, "no-answer", sentence));
            }
        };
        let Some(handle) = self.questions.pop_front() else { return Ok(()) };
        match text.trim().to_lowercase().as_str() {
            "y" | "yes" if self.storage == Storage::Output => self.accept_all(handle),
            "y" | "yes" => self.accept(handle),
            "a" | "all" => self.accept_all(handle),
            _ => {
                self.progress.forget(handle);
                self.visit.peer.decline(handle);
            }
        }
        self.ask();
        Ok(())
    }

    /// Accepts this file, and all others without a question.
    fn accept_all(&mut self, handle: TransferHandle) {
        self.policy = Policy::All;
        self.accept(handle);
        for waiting in std::mem::take(&mut self.questions) {
            self.accept(waiting);
        }
    }

    /// Whether the first files, and those offered together with them, arrived.
    fn is_done(&self) -> bool {
        if self.storage == Storage::Output {
            return self.only.is_some_and(|only| self.progress.is_over(only));
        }
        let transfers = self.visit.peer.session().transfers();
        let is_receiving =
            transfers.unfinished().iter().any(|(_, direction)| *direction == Direction::Receiving);
        self.progress.ended() > 0 && !is_receiving && transfers.files_to_come() == 0
    }
}

async fn next_answer(answers: &mut Option<mpsc::Receiver<Line>>) -> Option<Line> {
    match answers {
        Some(answers) => answers.recv().await,
        None => std::future::pending().await,
    }
}
