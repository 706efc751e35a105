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
/// Trunk builds the client before it listens: nothing is left to compile, but `wasm-opt` runs again for a release build.
const PATIENCE: Duration = Duration::from_secs(300);

/// What trunk builds.
#[derive(Clone, Copy)]
enum Build {
    Debug,
    Release,
}

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    if env::var_os("SIGHTLINE_TRUNK").is_none() {
        return Vec::new();
    }
    [
        stage.test_in_each_alone(tabs_call_each_other_on_the_page_of_trunk_serve),
        stage.test_in_each_alone(tabs_call_each_other_on_the_page_of_trunk_serve_release),
        stage.test_in_each_alone(members_call_on_the_page_of_trunk_serve_beside_a_server),
        stage.test_in_each_alone(members_call_on_the_page_of_trunk_serve_release_beside_a_server),
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn tabs_call_each_other_on_the_page_of_trunk_serve(scene: &Scene, engine: Engine) -> Result<()> {
    tabs_call_each_other(scene, engine, Build::Debug).await
}

async fn tabs_call_each_other_on_the_page_of_trunk_serve_release(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    tabs_call_each_other(scene, engine, Build::Release).await
}

async fn members_call_on_the_page_of_trunk_serve_beside_a_server(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    members_call(scene, engine, Build::Debug).await
}

async fn members_call_on_the_page_of_trunk_serve_release_beside_a_server(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    members_call(scene, engine, Build::Release).await
}

async fn tabs_call_each_other(scene: &Scene, engine: Engine, build: Build) -> Result<()> {
    let _trunk = trunk_serve(build).await?;
    let page = scene.page(engine).await?;
    // Trunk says that there is no server, and browsers log that.
    page.expect_console_error("50");
    let [ada, _] = enter_both(&page, |name| address("tabs", name)).await?;
    page.until_picture_moves("Ada").await?;
    show(&page, &ada).await?;
    page.until_picture_moves("Bob").await?;
    page.expect_no_server();
    Ok(())
}

async fn members_call(scene: &Scene, engine: Engine, build: Build) -> Result<()> {
    scene.serve_on(SERVER_PORT).await?;
    let _trunk = trunk_serve(build).await?;
    let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
    ada.open(&address("members", "Ada")).await?;
    bob.open(&address("members", "Bob")).await?;
    ada.until_connected_to("Bob").await?;
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    ada.expect_no_server();
    bob.expect_no_server();
    Ok(())
}

fn address(room: &str, name: &str) -> String {
    format!("http://localhost:{PORT}/room/{room}?name={name}&source=camera&autojoin=1")
}

/// Starts trunk, and returns when it answers. Whoever drops it has told the pages that there is no server from then on.
async fn trunk_serve(build: Build) -> Result<ProcessTree> {
    let (folder, options): (_, &[_]) = match build {
        Build::Debug => ("debug", &[]),
        Build::Release => ("release", &["--release"]),
    };
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let trunk = env::var_os("SIGHTLINE_TRUNK").context("SIGHTLINE_TRUNK does not name trunk")?;
    let mut command = Command::new(trunk);
    // Trunk takes this variable for its own flag and refuses the customary value, 1.
    command.current_dir(root).env_remove("NO_COLOR").arg("serve").args(options);
    let dist = env::var_os("SIGHTLINE_TRUNK_DIST").context("SIGHTLINE_TRUNK_DIST does not name a folder")?;
    command.arg("--dist").arg(Path::new(&dist).join(folder));
    let connect = async || TcpStream::connect(("127.0.0.1", PORT)).await;
    // The one of an earlier test may still be about to end.
    until("the port is free", PATIENCE, async || {
        Ok(connect().await.err().context("something listens").map_err(|error| error.to_string()))
    })
    .await?;
    let trunk = ProcessTree::start(command)?;
    until("trunk serve", PATIENCE, async || Ok(connect().await.map_err(|error| error.to_string()))).await?;
    Ok(trunk)
}
