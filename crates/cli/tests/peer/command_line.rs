//! The address from the environment, completions and the manual page.

use crate::harness::{Member, TestServer, program, run_to_end};

const NONE: [&str; 0] = [];

#[tokio::test(flavor = "multi_thread")]
async fn an_address_with_its_secret_is_taken_from_the_environment() {
    let server = TestServer::start();
    let room = format!("{}#c2VjcmV0c2VjcmV0c2Vjcg", server.room("hidden"));
    let mut ada = Member::start("chat", &room, "Ada", &NONE);
    ada.event("entered").await;
    let mut ben = program();
    ben.args(["chat", "--name", "Ben", "--once", "nobody sees the secret"]).env("SIGHTLINE_ROOM", &room);
    let ben = run_to_end(&mut ben).await;
    assert_eq!(ben.code, Some(0), "{}", ben.stderr);
    assert_eq!(ada.event("message").await["text"], "nobody sees the secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_sent_and_received_with_an_address_from_the_environment() {
    let server = TestServer::start();
    let room = server.room("files");
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.txt", "b.txt"] {
        std::fs::write(folder.path().join(name), name).unwrap();
    }
    let into = folder.path().join("into");
    let receive = async {
        let mut command = program();
        command.args(["receive", "--accept", "all", "--once", "--into"]).arg(&into);
        run_to_end(command.env("SIGHTLINE_ROOM", &room)).await
    };
    let send = async {
        let mut command = program();
        command.args(["send", "a.txt", "b.txt"]).current_dir(folder.path());
        run_to_end(command.env("SIGHTLINE_ROOM", &room)).await
    };
    let (received, sent) = tokio::join!(receive, send);
    assert_eq!((received.code, sent.code), (Some(0), Some(0)), "{} {}", received.stderr, sent.stderr);
    assert!(into.join("a.txt").exists() && into.join("b.txt").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_among_the_arguments_is_preferred_to_that_of_the_environment() {
    let mut command = program();
    command.args(["chat", "https://host.invalid/room/team-7", "--once", "hi"]);
    let ended = run_to_end(command.env("SIGHTLINE_ROOM", "https://example.org")).await;
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("host.invalid"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_without_an_address_or_without_files_says_what_is_missing() {
    for arguments in [&["chat"] as &[&str], &["receive"], &["check"]] {
        let ended = run_to_end(program().args(arguments).env("SIGHTLINE_ROOM", " ")).await;
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("SIGHTLINE_ROOM. (address-invalid)"), "{}", ended.stderr);
    }
    let ended = run_to_end(program().args(["send", "https://example.org/room/team-7"])).await;
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.ends_with("(no-files)\n"), "{}", ended.stderr);
    // A secret that was cut off is not repeated.
    let mut command = program();
    command.args(["chat"]).env("SIGHTLINE_ROOM", "https://example.org/room/team-7#c2VjcmV0");
    let ended = run_to_end(&mut command).await;
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(!ended.stderr.contains("c2VjcmV0"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shell_gets_completions_with_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ended = run_to_end(program().args(["completions", shell])).await;
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{shell}");
        for word in [
            "chat",
            "send",
            "receive",
            "provide",
            "watch",
            "bots",
            "check",
            "ice-server",
            "relay-only",
            "accept",
        ] {
            assert!(ended.stdout.contains(word), "{shell} does not complete {word}");
        }
    }
    assert_eq!(run_to_end(program().args(["completions", "cmd"])).await.code, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_manual_page_names_the_commands_and_the_exit_codes() {
    let ended = run_to_end(program().arg("man")).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(ended.stdout.contains(".TH sightline-peer"), "{}", ended.stdout);
    for word in ["chat", "send", "receive", "provide", "watch", "bots", "check", "9 no calls"] {
        assert!(ended.stdout.contains(word), "{word}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_help_of_each_command_fits_a_screen() {
    for command in ["chat", "send", "receive", "provide", "watch", "bots", "check"] {
        let ended = run_to_end(program().args([command, "-h"])).await;
        assert_eq!(ended.code, Some(0));
        let lines = ended.stdout.lines().count();
        assert!(lines <= 40, "{command}: {lines} lines");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_systemd_unit_has_a_command_line_that_lacks_nothing_but_the_room() {
    const UNIT: &str = include_str!("../../../../deploy/sightline-receive.service");
    let line = UNIT.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/sightline-peer "));
    let line = line.unwrap().replace("%H", "host").replace("${SIGHTLINE_FROM}", "Ada");
    let ended = run_to_end(program().args(line.split_whitespace()).env("SIGHTLINE_ROOM", " ")).await;
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("SIGHTLINE_ROOM. (address-invalid)"), "{}", ended.stderr);
}
