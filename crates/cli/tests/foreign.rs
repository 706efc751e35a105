//! Members in a room that are made with other implementations of WebRTC: aiortc (Python) and werift (JavaScript). `cargo xtask test`
//! installs them and names them; elsewhere each test is reported as ignored. `tests/foreign` has the members.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

#[cfg(unix)]
#[path = "peer/harness.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod harness;

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    unix::main()
}

#[cfg(not(unix))]
fn main() {
    println!("the tests with foreign members need Unix: no test was run");
}

#[cfg(unix)]
mod unix {
    use std::{env, path::PathBuf, process::ExitCode};

    use libtest_mimic::{Arguments, Trial};
    use tokio::{process::Command, runtime::Runtime};

    use crate::harness::{Member, TestServer};

    const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/sample/sample.webm");
    const NONE: [&str; 0] = [];

    /// Another implementation.
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Foreign {
        Aiortc,
        Werift,
    }

    /// Who is in the room first. The other one offers.
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum First {
        Foreign,
        Native,
    }

    type Test = (&'static str, Foreign, fn(&Runtime, Foreign, First), First);

    pub(super) fn main() -> ExitCode {
        let tests: [Test; 9] = [
            ("aiortc_that_was_there_talks_with_a_terminal", Foreign::Aiortc, talk, First::Foreign),
            ("aiortc_that_comes_talks_with_a_terminal", Foreign::Aiortc, talk, First::Native),
            (
                "aiortc_that_was_there_decodes_the_video_of_a_terminal",
                Foreign::Aiortc,
                provide,
                First::Foreign,
            ),
            ("aiortc_that_comes_decodes_the_video_of_a_terminal", Foreign::Aiortc, provide, First::Native),
            (
                "a_terminal_measures_the_camera_of_aiortc_that_was_there",
                Foreign::Aiortc,
                watch,
                First::Foreign,
            ),
            ("a_terminal_measures_the_camera_of_aiortc_that_comes", Foreign::Aiortc, watch, First::Native),
            // What is missing in the other order is in docs/results/native-peer.md.
            ("werift_that_was_there_talks_with_a_terminal", Foreign::Werift, talk, First::Foreign),
            ("werift_that_was_there_gets_the_video_of_a_terminal", Foreign::Werift, provide, First::Foreign),
            (
                "a_terminal_measures_the_pictures_of_werift_that_was_there",
                Foreign::Werift,
                watch,
                First::Foreign,
            ),
        ];
        let trials = tests.into_iter().map(|(name, foreign, test, first)| {
            let is_missing = foreign.command().is_none();
            if is_missing {
                println!("ignored, because {} is not set: {name}", foreign.variable());
            }
            let run = move || {
                test(&Runtime::new()?, foreign, first);
                Ok(())
            };
            Trial::test(name, run).with_ignored_flag(is_missing)
        });
        libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
    }

    impl Foreign {
        /// The variable that names what is installed: the Python with the packages, the folder of the npm packages.
        fn variable(self) -> &'static str {
            match self {
                Self::Aiortc => "SIGHTLINE_AIORTC",
                Self::Werift => "SIGHTLINE_WERIFT",
            }
        }

        fn command(self) -> Option<Command> {
            let installed = env::var_os(self.variable())?;
            let members = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign"));
            let mut command = match self {
                Self::Aiortc => Command::new(installed),
                Self::Werift => {
                    let mut node = Command::new("node");
                    node.env("SIGHTLINE_NODE_MODULES", installed);
                    node
                }
            };
            command.arg(members.join(match self {
                Self::Aiortc => "member.py",
                Self::Werift => "member.mjs",
            }));
            Some(command)
        }

        /// A member called Fay.
        fn enter(self, server: &TestServer, room: &str, options: &[&str]) -> Member {
            let mut command = self.command().unwrap();
            Member::spawn_foreign(command.args([&server.signaling(), room, "Fay"]).args(options))
        }
    }

    /// Starts a foreign member and a command of `sightline-peer`, one after the other.
    async fn meet(
        first: First,
        foreign: impl FnOnce() -> Member,
        native: impl FnOnce() -> Member,
    ) -> (Member, Member) {
        match first {
            First::Foreign => {
                let mut fay = foreign();
                fay.event("entered").await;
                (fay, native())
            }
            First::Native => {
                let mut ben = native();
                ben.event("entered").await;
                (foreign(), ben)
            }
        }
    }

    fn talk(runtime: &Runtime, foreign: Foreign, first: First) {
        runtime.block_on(async {
            let server = TestServer::start();
            let (mut fay, mut ben) = meet(
                first,
                || foreign.enter(&server, "talk", &NONE),
                || Member::start("chat", &server.room("talk"), "Ben", &NONE),
            )
            .await;
            fay.event("open").await;
            fay.say("from elsewhere 你好").await;
            let heard = ben.event("message").await;
            assert_eq!(
                (heard["name"].as_str(), heard["text"].as_str()),
                (Some("Fay"), Some("from elsewhere 你好"))
            );
            assert_eq!(fay.event("delivery").await["text"], "from elsewhere 你好");
            ben.say("from a terminal").await;
            assert_eq!(fay.event("message").await["text"], "from a terminal");
            assert_eq!(ben.event("delivery").await["state"], "delivered");
            assert_eq!(fay.end().await.0.code(), Some(0));
            assert_eq!(ben.event("member_left").await["name"], "Fay");
            assert_eq!(ben.end().await.0.code(), Some(0));
        });
    }

    fn provide(runtime: &Runtime, foreign: Foreign, first: First) {
        runtime.block_on(async {
            let server = TestServer::start();
            let (mut fay, mut ben) = meet(
                first,
                || foreign.enter(&server, "film", &NONE),
                || Member::start("provide", &server.room("film"), "Ben", &[SAMPLE, "--loop"]),
            )
            .await;
            let both = async { (fay.both(["picture", "sound"]).await, ben.event("watching").await) };
            let (seen, watching) = both.await;
            assert_eq!(watching["name"], "Fay");
            if foreign == Foreign::Aiortc {
                // It decodes.
                assert_eq!((seen["width"].as_u64(), seen["height"].as_u64()), (Some(640), Some(360)));
            }
            assert_eq!(fay.end().await.0.code(), Some(0));
        });
    }

    fn watch(runtime: &Runtime, foreign: Foreign, first: First) {
        runtime.block_on(async {
            let server = TestServer::start();
            let (fay, mut ben) = meet(
                first,
                || foreign.enter(&server, "camera", &["--show"]),
                || Member::start("watch", &server.room("camera"), "Ben", &["--run", "2"]),
            )
            .await;
            let measured = ben.event("measured").await;
            assert_eq!(measured["name"], "Fay");
            assert!(measured["frames"].as_u64() >= Some(20), "{measured}");
            assert_eq!(ben.end().await.0.code(), Some(0));
            assert_eq!(fay.end().await.0.code(), Some(0));
        });
    }
}
