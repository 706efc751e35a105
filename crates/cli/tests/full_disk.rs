//! A disk that is full, before and while something is written. Needs root to make a small one; elsewhere each test is reported as
//! ignored.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

#[cfg(target_os = "linux")]
#[path = "peer/harness.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod harness;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("the tests of full disks need Linux: no test was run");
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        fs::{self, File},
        io::Write,
        path::{Path, PathBuf},
        process::{Command, ExitCode, Stdio},
    };

    use libtest_mimic::{Arguments, Trial};
    use tempfile::TempDir;
    use tokio::{io::AsyncWriteExt, runtime::Runtime, time::timeout};

    use crate::harness::{Member, PATIENCE, TestServer, piped, program, run};

    type Test = (&'static str, fn(&Runtime));

    const MIB: usize = 1 << 20;
    const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/sample/sample.webm");

    pub(super) fn main() -> ExitCode {
        let arguments = Arguments::from_args();
        let has_disks = Disk::new(MIB).is_some();
        if !has_disks {
            println!("ignored, because no disk can be mounted:");
        }
        let tests: [Test; 6] = [
            ("a_file_without_room_is_refused_before_its_first_byte", |runtime| runtime.block_on(too_large())),
            ("a_file_whose_disk_becomes_full_goes_on_once_there_is_room", |runtime| {
                runtime.block_on(becomes_full());
            }),
            ("a_recording_on_a_full_disk_ends_with_its_last_whole_frame", |runtime| {
                runtime.block_on(recording());
            }),
            ("a_recording_without_room_for_a_frame_leaves_no_file", |runtime| {
                runtime.block_on(no_recording());
            }),
            ("a_report_without_room_is_an_error_and_leaves_no_file", |runtime| runtime.block_on(report())),
            ("an_endless_standard_input_is_an_error_and_leaves_no_file", |runtime| {
                runtime.block_on(endless_input());
            }),
        ];
        let trials = tests.into_iter().map(|(name, test)| {
            let run = move || {
                test(&Runtime::new()?);
                Ok(())
            };
            Trial::test(name, run).with_ignored_flag(!has_disks)
        });
        libtest_mimic::run(&arguments, trials.collect()).exit_code()
    }

    /// A small disk.
    struct Disk(TempDir);

    impl Disk {
        fn new(bytes: usize) -> Option<Self> {
            let folder = tempfile::tempdir().unwrap();
            let mut mount = Command::new("mount");
            mount.args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"]).arg(folder.path());
            let is_mounted = mount.output().is_ok_and(|output| output.status.success());
            is_mounted.then(|| Self(folder))
        }

        fn path(&self) -> &Path {
            self.0.path()
        }

        /// Writes a file that leaves no room.
        fn fill(&self) -> PathBuf {
            let path = self.path().join("filler");
            let mut file = File::create(&path).unwrap();
            for piece in [MIB, 4096] {
                while file.write_all(&vec![7; piece]).is_ok() {}
            }
            path
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(self.path()).unwrap();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        }
    }

    impl Drop for Disk {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg(self.path()).output();
        }
    }

    /// Bytes of which no two pieces are equal.
    fn bytes(length: usize) -> Vec<u8> {
        (0..length as u64 / 8).flat_map(|number| (number * number).to_le_bytes()).collect()
    }

    fn receiver(room: &str, into: &Path) -> Member {
        let arguments = ["--into", into.to_str().unwrap(), "--accept", "all", "--once"];
        Member::start("receive", room, "Ada", &arguments)
    }

    async fn too_large() {
        let (server, disk) = (TestServer::start(), Disk::new(4 * MIB).unwrap());
        let from = server.directories.path().join("data.bin");
        fs::write(&from, bytes(6 * MIB)).unwrap();
        let mut ada = receiver(&server.room("small"), disk.path());
        ada.event("entered").await;
        let (code, stderr) = run(&["send", &server.room("small"), from.to_str().unwrap()]).await;
        assert_eq!(code, Some(6), "{stderr}");
        assert!(stderr.ends_with("(disk-full)\n"), "{stderr}");
        let failed = ada.event_where("file", |event| event["state"] == "failed").await;
        assert_eq!((&failed["reason"], &failed["bytes"]), (&"disk-full".into(), &0.into()));
        let (status, stderr) = ada.end().await;
        assert_eq!(status.code(), Some(6), "{stderr}");
        assert!(stderr.ends_with("(disk-full)\n"), "{stderr}");
        assert_eq!(disk.names(), [""; 0]);
    }

    async fn becomes_full() {
        let (server, disk) = (TestServer::start(), Disk::new(160 * MIB).unwrap());
        let room = server.room("full");
        let folder = server.directories.path();
        let (from, file) = (folder.join("data.bin"), bytes(128 * MIB));
        fs::write(&from, &file).unwrap();
        let mut ada = receiver(&room, disk.path());
        ada.event("entered").await;
        let ben = Member::start_in("send", &room, "Ben", &[from.to_str().unwrap()], folder);
        ada.event_where("file", |event| event["bytes"].as_u64() > Some(12 * MIB as u64)).await;
        let filler = disk.fill();
        let failed = ada.event("failed").await;
        assert_eq!((&failed["code"], &failed["exit"]), (&"disk-full".into(), &6.into()), "{failed}");
        let (status, stderr) = ada.end().await;
        assert_eq!(status.code(), Some(6), "{stderr}");
        assert!(stderr.contains("the same command goes on where it was. (disk-full)"), "{stderr}");

        fs::remove_file(filler).unwrap();
        let mut ada = receiver(&room, disk.path());
        let is_under_way = |event: &serde_json::Value| event["state"] == "running" && event["bytes"] != 0;
        let first = ada.event_where("file", is_under_way).await;
        assert!(first["bytes"].as_u64() >= Some(8 * MIB as u64), "it goes on: {first}");
        ada.event_where("file", |event| event["state"] == "done").await;
        let (status, stderr) = ben.end().await;
        assert_eq!(status.code(), Some(0), "{stderr}");
        assert_eq!(ada.end().await.0.code(), Some(0));
        assert!(fs::read(disk.path().join("data.bin")).unwrap() == file);
        assert_eq!(disk.names(), ["data.bin"]);
    }

    async fn recording() {
        for name in ["seen.ivf", "seen.webm"] {
            recording_in(name).await;
        }
    }

    async fn recording_in(name: &str) {
        // Three to four seconds of the sample.
        let (server, disk) = (TestServer::start(), Disk::new(96 * 1024).unwrap());
        let room = server.room("recording");
        let seen = disk.path().join(name);
        let (report, folder) = (server.directories.path().join("run.json"), server.directories.path());
        let arguments = ["--record".as_ref(), seen.as_os_str(), "--report".as_ref(), report.as_os_str()];
        let ben = Member::start(
            "watch",
            &room,
            "Ben",
            &[&arguments[..], &["--run".as_ref(), "5".as_ref()]].concat(),
        );
        let ada = Member::start_in("provide", &room, "Ada", &[SAMPLE, "--loop"], folder);
        let (status, stderr) = ben.end_by_itself().await;
        assert_eq!(status.code(), Some(1), "{stderr}");
        assert!(stderr.ends_with("No space left on device (os error 28). (file-unwritable)\n"), "{stderr}");
        drop(ada);
        // The report has its own place.
        assert!(fs::metadata(report).unwrap().len() > 0);
        let whole =
            sightline_cli::media::examine(File::open(seen).unwrap()).expect("a file that can be shown");
        assert!(whole.frames > 1, "{whole:?}");
    }

    async fn no_recording() {
        for name in ["seen.ivf", "seen.webm"] {
            let (server, disk) = (TestServer::start(), Disk::new(64 * 1024).unwrap());
            let room = server.room("nothing");
            let seen = disk.path().join(name);
            let arguments = ["--record", seen.to_str().unwrap(), "--run", "2"];
            let mut ben = Member::start("watch", &room, "Ben", &arguments);
            ben.event("entered").await;
            disk.fill();
            let ada = Member::start("provide", &room, "Ada", &[SAMPLE, "--loop"]);
            let (status, stderr) = ben.end_by_itself().await;
            assert_eq!(status.code(), Some(1), "{stderr}");
            assert!(stderr.ends_with("(file-unwritable)\n"), "{stderr}");
            assert_eq!(disk.names(), ["filler"]);
            drop(ada);
        }
    }

    async fn endless_input() {
        let disk = Disk::new(MIB).unwrap();
        let mut command = program();
        command.args(["send", "http://127.0.0.1:9/room/team-7", "-"]).env("TMPDIR", disk.path());
        let mut child = piped(&mut command).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let write = async { while stdin.write_all(&[7; 65_536]).await.is_ok() {} };
        timeout(PATIENCE, write).await.expect("the command still reads");
        let output = timeout(PATIENCE, child.wait_with_output()).await.expect("it did not end").unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.ends_with("(file-unwritable)\n"), "{stderr}");
        assert!(disk.names().is_empty(), "{:?}", disk.names());
    }

    async fn report() {
        let (server, disk) = (TestServer::start(), Disk::new(64 * 1024).unwrap());
        let room = server.room("report");
        let report = disk.path().join("run.json");
        let mut ben =
            Member::start("watch", &room, "Ben", &["--report", report.to_str().unwrap(), "--run", "1"]);
        ben.event("entered").await;
        disk.fill();
        let ada = Member::start("provide", &room, "Ada", &[SAMPLE, "--loop"]);
        // What was measured is printed all the same.
        assert_eq!(ben.event("measured").await["name"], "Ada");
        let (status, stderr) = ben.end_by_itself().await;
        assert_eq!(status.code(), Some(1), "{stderr}");
        assert!(stderr.ends_with("(file-unwritable)\n"), "{stderr}");
        assert_eq!(disk.names(), ["filler"]);
        drop(ada);
    }
}
