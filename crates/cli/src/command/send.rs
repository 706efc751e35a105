//! `send`: files and directories go to everyone in the room.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use sightline_core::transfer::{
    Direction, FileDescription, MAX_DEPTH, MAX_FILES_FROM_HERE, TransferHandle, TransferState,
};
use sightline_protocol::MemberId;

use super::{
    output::Output,
    progress::Progress,
    seat::Seat,
    spool::spool,
    visit::{Happening, Visit},
};
use crate::{
    clock::milliseconds_since_1970,
    failure::{Exit, Failure},
    options::{STANDARD_STREAM, SendOptions},
};

/// How long files wait for somebody, unless `--wait` says otherwise.
const WAIT: Duration = Duration::from_secs(600);

pub(super) async fn run(options: &SendOptions, output: &mut Output) -> Result<(), Failure> {
    let options = options.clone().resolved()?;
    let address = options.member.address()?;
    let is_input = |path: &PathBuf| path.as_os_str() == STANDARD_STREAM;
    let inputs = options.paths.iter().filter(|path| is_input(path)).count();
    if inputs > 1 {
        let sentence = "The standard input can be sent only once.";
        return Err(Failure::new(Exit::Usage, "one-input-only", sentence));
    }
    let paths: Vec<_> = options.paths.iter().filter(|path| !is_input(path)).cloned().collect();
    let (mut files, left_out) = find(&paths)?;
    // Deleted when the command ends.
    let mut spooled = None;
    if inputs > 0 {
        let file = spooled.insert(spool(output).await?);
        files.push(describe_input(&options.file_name, file.path())?);
    }
    if files.is_empty() {
        return Err(Failure::new(Exit::Usage, "no-files", "There are no files in the given directories."));
    }
    let seat = Seat::of_paths(&options.paths, &address);
    if left_out > 0 {
        let sentence =
            format!("{left_out} symbolic link(s) and special file(s) in directories are not sent.");
        output.warning("left-out", &sentence)?;
    }
    let kept = seat.load();
    let visit = Visit::begin(&options.member, output, None, kept)?;
    let paths = options.paths.clone();
    let mut send = Send { visit, seat, paths, progress: Progress::default(), names: HashMap::new() };
    let wait = options.member.wait.map_or(WAIT, Duration::from_secs);
    let result = send.run(files, wait).await;
    send.progress.report(send.visit.output);
    send.visit.end(&send.seat, &result).await;
    result
}

struct Send<'a> {
    visit: Visit<'a>,
    seat: Seat,
    /// What is sent.
    paths: Vec<PathBuf>,
    progress: Progress,
    /// The names of receivers, for when they are gone.
    names: HashMap<MemberId, String>,
}

impl Send<'_> {
    async fn run(&mut self, files: Vec<(FileDescription, PathBuf)>, wait: Duration) -> Result<(), Failure> {
        self.visit.wait_for_company(wait);
        let mut files = Some(files);
        loop {
            match self.visit.next().await? {
                Happening::Entered(resume) => self.seat.set_resume(resume),
                Happening::LinkChanged => {
                    self.seat.move_to(Seat::of_paths(&self.paths, self.visit.peer.address()));
                }
                Happening::Connected => {
                    if let Some(files) = files.take() {
                        self.visit.stop_waiting();
                        self.offer(files)?;
                    }
                }
                Happening::Left(member) => self.give_up(&member)?,
                Happening::Transfer(handle) => self.show(handle)?,
                Happening::RecordsChanged => self.seat.note_change(),
                Happening::Alone => return Err(self.visit.nobody_came()),
                Happening::Message(_)
                | Happening::Watching(_)
                | Happening::CodecMissing(_)
                | Happening::Figures(..)
                | Happening::Run(_)
                | Happening::DiskFull(_)
                | Happening::OutputFailed(_)
                | Happening::Other => {}
            }
            self.visit.keep(&mut self.seat)?;
            if files.is_none() && !self.visit.peer.has_events() && self.is_done() {
                return self.progress.result();
            }
        }
    }

    fn offer(&mut self, files: Vec<(FileDescription, PathBuf)>) -> Result<(), Failure> {
        let count = files.len();
        let present: Vec<_> = self.visit.peer.session().peers().map(|peer| peer.member.id.clone()).collect();
        for member in self.unfinished_members() {
            // An earlier process sent to members that are gone.
            if !present.contains(&member) {
                self.cancel_to(&member);
            }
        }
        self.visit.output.note(&format!("Offering {count} file(s) to {} member(s).", present.len()));
        self.visit.peer.offer(None, files).map_err(|_| too_many())
    }

    /// Ends the transfers to a member that left.
    fn give_up(&mut self, member: &MemberId) -> Result<(), Failure> {
        let canceled = self.cancel_to(member);
        if canceled > 0 {
            let name = self.name_of(member);
            let sentence = format!("{name} left before everything had arrived.");
            self.progress
                .fail(Failure::new(Exit::TransferFailed, "receiver-left", sentence), self.visit.output);
        }
        Ok(())
    }

    fn cancel_to(&mut self, member: &MemberId) -> usize {
        let transfers = self.visit.peer.session().transfers();
        let to_member =
            |handle: &TransferHandle| transfers.view(*handle).is_some_and(|view| view.member == *member);
        let sending =
            transfers.unfinished().into_iter().filter(|(_, direction)| *direction == Direction::Sending);
        let handles: Vec<_> = sending.map(|(handle, _)| handle).filter(to_member).collect();
        for handle in &handles {
            self.progress.forget(*handle);
            self.visit.peer.cancel(*handle);
        }
        handles.len()
    }

    fn unfinished_members(&self) -> Vec<MemberId> {
        let transfers = self.visit.peer.session().transfers();
        let views = transfers.unfinished().into_iter().filter_map(|(handle, _)| transfers.view(handle));
        let mut members: Vec<_> = views.map(|view| view.member).collect();
        members.sort();
        members.dedup();
        members
    }

    fn show(&mut self, handle: TransferHandle) -> Result<(), Failure> {
        let Some(view) = self.visit.peer.session().transfers().view(handle) else { return Ok(()) };
        if view.direction == Direction::Receiving {
            // This command only sends.
            if view.state == TransferState::Offered && view.end.is_none() {
                self.visit.peer.decline(handle);
            }
            return Ok(());
        }
        let name = self.name_of(&view.member);
        self.progress.show(self.visit.output, handle, &view, &name, None)
    }

    fn name_of(&mut self, member: &MemberId) -> String {
        let name = self.visit.name_of(member);
        if name != member.as_str() {
            self.names.insert(member.clone(), name);
        }
        self.names.get(member).cloned().unwrap_or_else(|| member.as_str().to_owned())
    }

    fn is_done(&self) -> bool {
        let transfers = self.visit.peer.session().transfers();
        let backlog = transfers.backlog();
        let is_sending = transfers.unfinished().iter().any(|(_, direction)| *direction == Direction::Sending);
        !is_sending && backlog.waiting + backlog.queued == 0 && self.progress.ended() > 0
    }
}

fn too_many() -> Failure {
    let sentence = format!("More than {MAX_FILES_FROM_HERE} files cannot be sent at once.");
    Failure::new(Exit::Usage, "too-many", sentence)
}

/// The files of these paths: those of a directory with their folders, in the order of their names. Returns the number of links
/// and special files in the directories, too.
fn find(paths: &[PathBuf]) -> Result<(Vec<(FileDescription, PathBuf)>, usize), Failure> {
    let (mut files, mut left_out) = (Vec::new(), 0);
    for path in paths {
        let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        if metadata.is_dir() {
            let named = path.canonicalize().map_err(|error| unreadable(path, &error))?;
            let folder =
                named.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            left_out += walk(path, &folder, 1, &mut files)?;
        } else {
            files.push(describe(path, String::new(), &metadata)?);
        }
    }
    Ok((files, left_out))
}

fn walk(
    directory: &Path,
    folder: &str,
    depth: usize,
    files: &mut Vec<(FileDescription, PathBuf)>,
) -> Result<usize, Failure> {
    let mut left_out = 0;
    if depth > MAX_DEPTH {
        let sentence = format!("{} is nested deeper than {MAX_DEPTH} folders.", directory.display());
        return Err(Failure::new(Exit::Usage, "too-deep", sentence));
    }
    let entries = fs::read_dir(directory).map_err(|error| unreadable(directory, &error))?;
    let paths: Result<Vec<_>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.map_err(|error| unreadable(directory, &error))?;
    paths.sort();
    for path in paths {
        // A link may lead out of the directory, or around in a circle.
        let metadata = fs::symlink_metadata(&path).map_err(|error| unreadable(&path, &error))?;
        if metadata.is_dir() {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            left_out += walk(&path, &format!("{folder}/{name}"), depth + 1, files)?;
        } else if metadata.is_file() {
            if files.len() == MAX_FILES_FROM_HERE {
                return Err(too_many());
            }
            files.push(describe(&path, folder.to_owned(), &metadata)?);
        } else {
            left_out += 1;
        }
    }
    Ok(left_out)
}

fn describe(
    path: &Path,
    folder: String,
    metadata: &fs::Metadata,
) -> Result<(FileDescription, PathBuf), Failure> {
    if !metadata.is_file() {
        let sentence = format!("{} is neither a file nor a directory.", path.display());
        return Err(Failure::new(Exit::Usage, "not-a-file", sentence));
    }
    // Opened only to know now whether it can be read.
    fs::File::open(path).map_err(|error| unreadable(path, &error))?;
    let description = FileDescription {
        name: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        folder,
        size_bytes: metadata.len(),
        modified_ms: metadata.modified().map_or(0, milliseconds_since_1970),
        ..FileDescription::default()
    };
    Ok((description, path.to_owned()))
}

/// The stored standard input, under this name.
fn describe_input(name: &str, path: &Path) -> Result<(FileDescription, PathBuf), Failure> {
    let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    let (description, path) = describe(path, String::new(), &metadata)?;
    Ok((FileDescription { name: name.to_owned(), ..description }, path))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Exit::Usage, "file-unreadable", format!("{} cannot be read: {error}.", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_sent_with_its_folders_and_without_the_targets_of_links() {
        let root = tempfile::tempdir().unwrap();
        let tree = root.path().join("tree");
        fs::create_dir_all(tree.join("b/c")).unwrap();
        for (name, text) in [("z.txt", "1"), ("b/a.txt", "22"), ("b/c/d.txt", "")] {
            fs::write(tree.join(name), text).unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink("/etc/passwd", tree.join("link")).unwrap();
        let (found, left_out) = find(&[tree]).unwrap();
        assert_eq!(left_out, usize::from(cfg!(unix)));
        let described: Vec<_> = found
            .iter()
            .map(|(file, _)| (file.folder.as_str(), file.name.as_str(), file.size_bytes))
            .collect();
        assert_eq!(described, [("tree/b", "a.txt", 2), ("tree/b/c", "d.txt", 0), ("tree", "z.txt", 1)]);
    }

    #[test]
    fn a_path_without_a_readable_file_fails_before_anything_is_offered() {
        let root = tempfile::tempdir().unwrap();
        assert!(find(&[root.path().to_owned()]).unwrap().0.is_empty());
        assert_eq!(find(&[root.path().join("nothing")]).unwrap_err().code, "file-unreadable");
    }
}
