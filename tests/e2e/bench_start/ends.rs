//! The two ends of a call: browsers, servers, and the network between them.

use std::{env, sync::Arc};

use anyhow::{Context, Result};
use sightline_e2e::{
    browser::{Browser, Engine, Profile},
    netlab::{Across, LinkProfile, Place},
    page::Page,
    process::ProcessTree,
    stage::Scene,
};
use tokio::process::Command;

use super::{Visit, systems::System};

/// The network between the page that joins, and the servers with the page that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Network {
    Loopback,
    /// 12 Mbit/s in each direction and a round trip of 70 ms, as in `WebPageTest`'s profile "LTE". Everything crosses it: pages,
    /// signals and media.
    Emulated4g,
}

impl Network {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::Emulated4g => "4g (70 ms, 12 Mbit/s)",
        }
    }

    fn profile(self) -> Option<LinkProfile> {
        let emulated = LinkProfile {
            delay_ms: 35.0,
            rate_bps: Some(12_000_000),
            buffer_bytes: 256 * 1024,
            ..LinkProfile::default()
        };
        (self == Self::Emulated4g).then_some(emulated)
    }
}

/// Everything that the calls of one network share.
pub(super) struct Ends {
    across: Option<Across>,
    profile: Profile,
    /// The browsers of the page that waits, and of the page that joins with its caches filled.
    browsers: [Arc<Browser>; 2],
    origin: String,
    other_origin: String,
    _others: ProcessTree,
}

impl Ends {
    /// Starts servers and browsers. No system has a STUN or TURN server, so that all have the same candidates.
    pub(super) async fn open(scene: &Scene, network: Network, engine: Engine) -> Result<Self> {
        let options = ["--no-turn"];
        let mut across = match network.profile() {
            Some(profile) => Some(scene.across(&profile, &options).await?),
            None => {
                scene.serve(&options).await?;
                None
            }
        };
        let origin = scene.server().await?.url();
        let mut others = match &across {
            Some(across) => across.command_at_far_end("node"),
            None => Command::new("node"),
        };
        let pages = concat!(env!("CARGO_MANIFEST_DIR"), "/e2e/bench_start");
        let packages =
            env::var("SIGHTLINE_BENCH_NPM").context("`cargo xtask bench start` installs the packages")?;
        others.args([&format!("{pages}/others.mjs"), &packages, pages, "0.0.0.0"]);
        let mut others = ProcessTree::start(others)?;
        let port = others.line(|line| line.strip_prefix("listening on ")?.parse::<u16>().ok()).await?;
        if let Some(across) = &mut across {
            across.carry(port)?;
        }
        let profile = Profile::of(engine);
        let browsers = [
            start(across.as_ref(), Place::B, profile).await?,
            start(across.as_ref(), Place::A, profile).await?,
        ];
        let other_origin = format!("http://localhost:{port}");
        Ok(Self { across, profile, browsers, origin, other_origin, _others: others })
    }

    /// The page that waits.
    pub(super) fn waiting(&self, system: System) -> Result<Page> {
        Ok(self.page(Arc::clone(&self.browsers[0]), system))
    }

    /// The page that joins.
    pub(super) async fn joining(&self, system: System, visit: Visit) -> Result<Page> {
        let browser = match visit {
            Visit::Warm => Arc::clone(&self.browsers[1]),
            Visit::Cold => start(self.across.as_ref(), Place::A, self.profile).await?,
        };
        Ok(self.page(browser, system))
    }

    fn page(&self, browser: Arc<Browser>, system: System) -> Page {
        let origin = if system == System::Sightline { &self.origin } else { &self.other_origin };
        Page::new(browser, origin.clone())
    }
}

async fn start(across: Option<&Across>, place: Place, profile: Profile) -> Result<Arc<Browser>> {
    let browser = match across {
        Some(across) => across.browser(place, profile).await?,
        None => Browser::start(profile).await?,
    };
    browser.preload(include_str!("trace.js")).await?;
    Ok(Arc::new(browser))
}
