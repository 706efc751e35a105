//! A real browser with fake devices, and its driver.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::{Context, Result};
use etcetera::BaseStrategy;
use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::{
    BrowserCapabilitiesHelper, Capabilities, CapabilitiesHelper, ChromiumLikeCapabilities,
    DesiredCapabilities, LoggingPrefsLogLevel, WebDriver,
};
use tokio::{process::Command, sync::Mutex};

use crate::{
    console::Console,
    cpu, memory,
    portrait::{self, Portrait},
    process::ProcessTree,
};
#[cfg(target_os = "linux")]
use crate::{
    netlab::{DriverPorts, Room},
    priority,
};

const WINDOW: (u32, u32) = (1280, 800);

/// chromedriver takes a free IPv6 port and then needs the same IPv4 port, which another process may have.
const PORT_TAKEN: &str = "IPv4 port not available";
const PORT_TRIES: u32 = 5;

/// A browser engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Engine {
    /// Chromium, driven by chromedriver.
    Chromium,
    /// Firefox, driven by geckodriver.
    Firefox,
}

impl Engine {
    /// Both engines, in the order of test names.
    pub const ALL: [Self; 2] = [Self::Chromium, Self::Firefox];

    /// The name of the browser in the names of tests.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
        }
    }
}

/// The camera and microphone that a page finds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Devices {
    /// A test picture and a tone; permission is granted.
    #[default]
    Fake,
    /// The same with two cameras (in Chromium).
    TwoCameras,
    /// No camera and no microphone.
    Missing,
    /// Permission is denied, as remembered from an earlier visit.
    Refused,
    /// A painted person (in Chromium) and a tone; permission is granted.
    Portrait(Portrait),
}

/// The configuration of a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Profile {
    /// The engine to start.
    pub engine: Engine,
    /// The devices of the browser.
    pub devices: Devices,
    /// Whether pages may play sound before a click.
    pub autoplay: bool,
}

impl Profile {
    /// A browser with fake devices that may play sound at once.
    #[must_use]
    pub fn of(engine: Engine) -> Self {
        Self { engine, devices: Devices::Fake, autoplay: true }
    }

    /// The same configuration with other devices.
    #[must_use]
    pub fn with_devices(self, devices: Devices) -> Self {
        Self { devices, ..self }
    }

    /// The same configuration without sound before a click.
    #[must_use]
    pub fn without_autoplay(self) -> Self {
        Self { autoplay: false, ..self }
    }
}

/// A running browser with its driver. Dropping it ends both.
#[derive(Debug)]
pub struct Browser {
    /// The configuration that it was started with.
    pub profile: Profile,
    /// The WebDriver session.
    pub driver: WebDriver,
    /// The messages of its console.
    pub console: Console,
    process: Mutex<ProcessTree>,
    has_lowest_priority: AtomicBool,
    #[cfg(target_os = "linux")]
    room: Option<(Room, DriverPorts)>,
    _folder: TempDir,
}

impl Browser {
    /// Starts a browser.
    ///
    /// # Errors
    /// Where the driver or the browser does not start.
    pub async fn start(profile: Profile) -> Result<Self> {
        let mut tries = 1;
        loop {
            let folder = TempDir::new()?;
            let (program, options) = driver_program(profile.engine, 0, 0)?;
            let mut command = Command::new(program);
            command.args(options);
            match Self::start_driver(profile, command, folder).await {
                Err(error) if tries < PORT_TRIES && format!("{error:#}").contains(PORT_TAKEN) => tries += 1,
                started => return started,
            }
        }
    }

    /// Starts a browser in a network namespace.
    ///
    /// # Errors
    /// Where the driver or the browser does not start.
    #[cfg(target_os = "linux")]
    pub(crate) async fn start_in(profile: Profile, room: Room) -> Result<Self> {
        let folder = TempDir::new()?;
        let ports = room.driver_ports()?;
        let (program, options) = driver_program(profile.engine, ports.driver, ports.bidi)?;
        let mut command = room.command(&program.to_string_lossy());
        command.args(options);
        let mut browser = Self::start_driver(profile, command, folder).await?;
        browser.room = Some((room, ports));
        Ok(browser)
    }

    async fn start_driver(profile: Profile, mut command: Command, folder: TempDir) -> Result<Self> {
        // The profile of a killed browser is removed with the folder.
        command.env("TMPDIR", folder.path());
        let mut process = ProcessTree::start(command)?;
        let port = process.line(port_in).await.context(profile.engine.name())?;
        let url = format!("http://127.0.0.1:{port}");
        let driver = WebDriver::new(url, capabilities(profile, folder.path())?).await.context("a session")?;
        let console = console(profile.engine, &driver).await?;
        let browser = Self {
            profile,
            driver,
            console,
            process: Mutex::new(process),
            #[cfg(target_os = "linux")]
            room: None,
            has_lowest_priority: AtomicBool::new(false),
            _folder: folder,
        };
        browser.preload(include_str!("probe.js")).await?;
        Ok(browser)
    }

    /// Runs a script in every page from now on, before the page's own scripts.
    ///
    /// # Errors
    /// Where the browser does not answer.
    pub async fn preload(&self, script: &str) -> Result<()> {
        match self.profile.engine {
            Engine::Chromium => {
                self.driver.cdp().page().add_script_to_evaluate_on_new_document(script).await?;
            }
            Engine::Firefox => {
                let function = format!("() => {{ {script} }}");
                self.driver.bidi().await?.script().add_preload_script(function).await?;
            }
        }
        Ok(())
    }

    /// Kills the browser, as a loss of power does.
    ///
    /// # Errors
    /// Where it cannot be waited for.
    pub async fn kill(&self) -> Result<()> {
        self.process.lock().await.kill().await
    }

    /// The processor time that its renderers have used.
    ///
    /// # Errors
    /// Where that cannot be read.
    pub async fn renderer_time(&self) -> Result<Duration> {
        cpu::of_renderers_below(self.process.lock().await.id())
    }

    /// Its renderer processes.
    ///
    /// # Errors
    /// Where they cannot be found.
    pub async fn renderers(&self) -> Result<Vec<i32>> {
        cpu::renderers_below(self.process.lock().await.id())
    }

    /// The memory of its processes in kB, by their role.
    ///
    /// # Errors
    /// Where that cannot be read.
    pub async fn memory_kb(&self) -> Result<BTreeMap<String, u64>> {
        memory::pss_kb_by_role(self.process.lock().await.id())
    }

    /// Gives the other browsers the processor first, as if this one ran on a machine of its own.
    ///
    /// # Errors
    /// Where there is no `/proc`.
    #[cfg(target_os = "linux")]
    pub async fn yield_processor(&self) -> Result<()> {
        self.has_lowest_priority.store(true, Ordering::Relaxed);
        priority::lower_below(self.process.lock().await.id())
    }

    /// Whether another test can use the browser: it is not in a namespace, and it runs as fast as others.
    #[must_use]
    pub fn is_anywhere(&self) -> bool {
        #[cfg(target_os = "linux")]
        let has_network = self.room.is_none();
        #[cfg(not(target_os = "linux"))]
        let has_network = true;
        has_network && !self.has_lowest_priority.load(Ordering::Relaxed)
    }

    /// Sets the size of the page in CSS pixels, independently of the window; `None` restores the size of the window.
    ///
    /// # Errors
    /// Where the browser does not take it.
    pub async fn set_viewport(&self, size: Option<(u32, u32)>) -> Result<()> {
        match (self.profile.engine, size) {
            (Engine::Chromium, Some((width, height))) => {
                let size =
                    json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
                self.driver.cdp().send_raw("Emulation.setDeviceMetricsOverride", size).await?;
            }
            (Engine::Chromium, None) => {
                self.driver.cdp().send_raw("Emulation.clearDeviceMetricsOverride", json!({})).await?;
            }
            (Engine::Firefox, size) => {
                let bidi = self.driver.bidi().await?;
                let context = bidi.browsing_context().top_level().await?;
                let viewport = size.map(|(width, height)| json!({ "width": width, "height": height }));
                // The typed command omits the null that resets the viewport.
                bidi.send_raw(
                    "browsingContext.setViewport",
                    json!({ "context": context, "viewport": viewport }),
                )
                .await?;
            }
        }
        Ok(())
    }

    /// Closes every window except one, and resets its page and size for the next test.
    ///
    /// # Errors
    /// Where the browser does not answer.
    pub async fn clear(&self) -> Result<()> {
        let windows = self.driver.windows().await?;
        for extra in windows.iter().skip(1) {
            self.driver.switch_to_window(extra.clone()).await?;
            self.driver.close_window().await?;
        }
        if let Some(first) = windows.first() {
            self.driver.switch_to_window(first.clone()).await?;
        }
        self.driver.goto("about:blank").await?;
        self.set_viewport(None).await?;
        self.driver.set_window_rect(0, 0, WINDOW.0, WINDOW.1).await?;
        self.console.clear(&self.driver).await?;
        Ok(())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The process is killed, so there is no session to end politely, and trying would block.
        let _ = self.driver.clone().leak();
    }
}

/// The driver with its arguments for these ports; 0 is any free port.
fn driver_program(engine: Engine, port: u16, bidi_port: u16) -> Result<(PathBuf, Vec<String>)> {
    let (variable, name, options) = match engine {
        Engine::Chromium => {
            let options = vec![format!("--port={port}"), "--log-level=WARNING".to_owned()];
            ("CHROMEDRIVER", "chromedriver", options)
        }
        Engine::Firefox => {
            let options = ["--port", &port.to_string(), "--websocket-port", &bidi_port.to_string()];
            ("GECKODRIVER", "geckodriver", options.map(str::to_owned).into())
        }
    };
    let installed =
        etcetera::choose_base_strategy().ok().map(|folders| folders.cache_dir().join("sightline/tools/bin"));
    let search: Vec<PathBuf> =
        env::split_paths(&env::var_os("PATH").unwrap_or_default()).chain(installed).collect();
    let program = match env::var_os(variable) {
        Some(named) => PathBuf::from(named),
        None => which::which_in(name, Some(env::join_paths(search)?), ".")
            .with_context(|| format!("{name} is not installed: `cargo xtask setup --tests` installs it"))?,
    };
    Ok((program, options))
}

async fn console(engine: Engine, driver: &WebDriver) -> Result<Console> {
    match engine {
        Engine::Chromium => Ok(Console::Kept),
        Engine::Firefox => Console::reported(driver).await,
    }
}

fn capabilities(profile: Profile, folder: &Path) -> Result<Capabilities> {
    match profile.engine {
        Engine::Chromium => chromium(profile, folder),
        Engine::Firefox => firefox(profile),
    }
}

fn chromium(profile: Profile, folder: &Path) -> Result<Capabilities> {
    let mut chromium = DesiredCapabilities::chrome();
    let window = format!("--window-size={},{}", WINDOW.0, WINDOW.1);
    let mut arguments = vec![
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        // A host name that does not belong to this machine, so that http there is not a secure context.
        "--host-resolver-rules=MAP insecure.test 127.0.0.1",
        &window,
    ];
    match profile.devices {
        Devices::Fake => {
            arguments.extend(["--use-fake-device-for-media-stream=fps=30", "--use-fake-ui-for-media-stream"]);
        }
        Devices::TwoCameras => arguments.extend([
            "--use-fake-device-for-media-stream=fps=30,device-count=2",
            "--use-fake-ui-for-media-stream",
        ]),
        Devices::Portrait(of) => {
            let film = folder.join("film.y4m");
            portrait::write_film(of, &film)?;
            chromium.add_arg(&format!("--use-file-for-fake-video-capture={}", film.display()))?;
            arguments.extend(["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]);
        }
        Devices::Missing => arguments
            .extend(["--use-fake-device-for-media-stream=device-count=0", "--use-fake-ui-for-media-stream"]),
        Devices::Refused => {
            arguments.push("--use-fake-device-for-media-stream");
            let refused = json!({
                "profile.default_content_setting_values.media_stream_camera": 2,
                "profile.default_content_setting_values.media_stream_mic": 2,
            });
            chromium.add_experimental_option("prefs", refused)?;
        }
    }
    arguments.push(if profile.autoplay {
        "--autoplay-policy=no-user-gesture-required"
    } else {
        "--autoplay-policy=document-user-activation-required"
    });
    for argument in arguments {
        chromium.add_arg(argument)?;
    }
    if let Some(binary) = env::var("SIGHTLINE_CHROMIUM").ok().filter(|binary| !binary.is_empty()) {
        chromium.set_binary(&binary)?;
    }
    // Like a person who proceeds once when the browser warns of the self-signed certificate.
    chromium.accept_insecure_certs(true)?;
    chromium.set_browser_log_level(LoggingPrefsLogLevel::All)?;
    Ok(chromium.into())
}

fn firefox(profile: Profile) -> Result<Capabilities> {
    let mut preferences = json!({
        "media.peerconnection.ice.loopback": true,
        "media.autoplay.default": if profile.autoplay { 0 } else { 1 },
        "media.autoplay.block-webaudio": !profile.autoplay,
        "media.autoplay.blocking_policy": 0,
        "network.dns.localDomains": "insecure.test",
        "app.update.disabledForTesting": true,
        "datareporting.policy.dataSubmissionEnabled": false,
    });
    let devices = match profile.devices {
        Devices::Fake | Devices::TwoCameras | Devices::Portrait(_) => json!({
            "media.navigator.streams.fake": true,
            "media.navigator.permission.disabled": true,
        }),
        // Only devices with these names are allowed, and none has one.
        Devices::Missing => json!({
            "media.navigator.permission.disabled": true,
            "media.video_loopback_dev": "no such camera",
            "media.audio_loopback_dev": "no such microphone",
        }),
        Devices::Refused => json!({
            "media.navigator.streams.fake": true,
            "permissions.default.camera": 2,
            "permissions.default.microphone": 2,
        }),
    };
    if let (Value::Object(all), Value::Object(more)) = (&mut preferences, devices) {
        all.extend(more);
    }
    let mut firefox = DesiredCapabilities::firefox();
    firefox.enable_bidi()?;
    for argument in ["-headless", "--width", &WINDOW.0.to_string(), "--height", &WINDOW.1.to_string()] {
        firefox.add_arg(argument)?;
    }
    firefox.accept_insecure_certs(true)?;
    firefox.set_browser_option("prefs", preferences)?;
    if let Some(binary) = env::var("SIGHTLINE_FIREFOX").ok().filter(|binary| !binary.is_empty()) {
        firefox.set_firefox_binary(&binary)?;
    }
    Ok(firefox.into())
}

/// "ChromeDriver was started successfully on port 40123.", "... Listening on 127.0.0.1:40123"
fn port_in(line: &str) -> Option<u16> {
    let after =
        line.split_once("successfully on port ").or_else(|| line.split_once("Listening on 127.0.0.1:"))?.1;
    after.trim_end_matches('.').trim().parse().ok()
}
