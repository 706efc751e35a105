//! `trunk serve` as a developer uses it: alone, where the tabs of one browser call each other, and beside a server.
//!
//! The ports are those of `Trunk.toml`, so each of these tests has the machine for itself. They run only if `SIGHTLINE_TRUNK` names
//! trunk: `cargo xtask test trunk` does that, and builds the client first.

use std::{env, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::Engine,
    process::ProcessTree,
    stage::{Scene, Stage},
    wait::until,
};
use tokio::{net::TcpStream, process::Command};

use crate::tabs::{enter_both, show};

/// The port of `trunk serve`, and that of the server to which it passes on what is not a file.
const PORT: u16 = 8081;
const SERVER_PORT: u16 = 8080;
/// Trunk copies the client before it listens, and a debug build is large.
const PATIENCE: Duration = Duration::from_secs(120);
const BUILDS: [(&str, &[&str]); 2] = [("debug", &[]), ("release", &["--release"])];

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    if env::var_os("SIGHTLINE_TRUNK").is_none() {
        return Vec::new();
    }
    [
        stage.test_in_each_alone(tabs_call_each_other_on_the_page_of_trunk_serve),
        stage.test_in_each_alone(members_call_on_the_page_of_trunk_serve_beside_a_server),
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn tabs_call_each_other_on_the_page_of_trunk_serve(scene: &Scene, engine: Engine) -> Result<()> {
    for (build, options) in BUILDS {
        let _trunk = trunk_serve(build, options).await?;
        let page = scene.page(engine).await?;
        // Trunk says that there is no server, and browsers log that.
        page.expect_console_error("50");
        let [ada, _] = enter_both(&page, |name| address("tabs", name)).await?;
        page.until_picture_moves("Ada").await?;
        show(&page, &ada).await?;
        page.until_picture_moves("Bob").await?;
    }
    Ok(())
}

async fn members_call_on_the_page_of_trunk_serve_beside_a_server(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    scene.serve_on(SERVER_PORT).await?;
    for (build, options) in BUILDS {
        let _trunk = trunk_serve(build, options).await?;
        let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
        ada.open(&address(build, "Ada")).await?;
        bob.open(&address(build, "Bob")).await?;
        ada.until_connected_to("Bob").await?;
        tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    }
    Ok(())
}

fn address(room: &str, name: &str) -> String {
    format!("http://localhost:{PORT}/room/{room}?name={name}&source=camera&autojoin=1")
}

async fn trunk_serve(build: &str, options: &[&str]) -> Result<ProcessTree> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let trunk = env::var_os("SIGHTLINE_TRUNK").context("SIGHTLINE_TRUNK does not name trunk")?;
    let mut command = Command::new(trunk);
    // Trunk takes this variable for its own flag and refuses the customary value, 1.
    command.current_dir(root).env_remove("NO_COLOR").arg("serve").args(options);
    command.arg("--dist").arg(root.join("target/trunk").join(build));
    let trunk = ProcessTree::start(command)?;
    until("trunk serve", PATIENCE, async || {
        Ok(TcpStream::connect(("127.0.0.1", PORT)).await.map_err(|error| error.to_string()))
    })
    .await?;
    Ok(trunk)
}
