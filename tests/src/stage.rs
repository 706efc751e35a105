//! Runs the tests: shares browsers, gives each test a scene, and ends everything.

use std::{
    any::type_name,
    env, fs,
    panic::AssertUnwindSafe,
    path::PathBuf,
    process,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use futures_util::{FutureExt, future::try_join_all};
use libtest_mimic::{Failed, Trial};
use tokio::{
    runtime::Runtime,
    sync,
    time::{Instant, timeout},
};

#[cfg(target_os = "linux")]
use crate::netlab::{Across, AtHome, Ends, FarApart, Homes, LinkProfile, Place, Room, Router};
use crate::{
    browser::{Browser, Engine, Profile},
    page::Page,
    places::{HeldPlaces, Places},
    process::kill_everything,
    server::Server,
    static_host::StaticHost,
};

/// The time limit of a test on any machine, with the time that it waits for places for its pages.
const LIMIT: Duration = Duration::from_secs(300);
/// Number of tests that are named at the end because they took longest.
const SLOWEST: usize = 40;
/// The time limit of a measurement.
const LONG_LIMIT: Duration = Duration::from_secs(1200);

/// The time limit of a matrix of measurements.
const ENDLESS: Duration = Duration::from_secs(7 * 24 * 3600);

/// The browsers of two people.
pub type Pair = [Engine; 2];

/// The pairs in which every call has to work.
pub const PAIRS: [Pair; 3] = [
    [Engine::Chromium, Engine::Chromium],
    [Engine::Firefox, Engine::Firefox],
    [Engine::Chromium, Engine::Firefox],
];

/// The pairs in which each browser has each of two different parts once. They suffice for what the page and the server do; what
/// two browsers do with each other needs [`PAIRS`].
pub const MIXED_PAIRS: [Pair; 2] = [[Engine::Chromium, Engine::Firefox], [Engine::Firefox, Engine::Chromium]];

/// Everything that outlives a single test.
#[derive(Debug)]
pub struct Stage {
    runtime: Runtime,
    /// Browsers that a test left in order. Every test has its own server and so its own origin, which separates the stored data.
    idle: Mutex<Vec<Arc<Browser>>>,
    /// Locked for reading by tests that may run in parallel, for writing by tests that need the whole machine.
    machine: sync::RwLock<()>,
    places: Places,
    /// How long each test took that has ended.
    durations: Mutex<Vec<(Duration, String)>>,
}

impl Stage {
    /// A new stage without browsers.
    ///
    /// # Errors
    /// If no threads can be started.
    pub fn new() -> Result<Arc<Self>> {
        // The WebDriver BiDi client needs a default provider, even for a plain socket. Installing fails only if there is one
        // already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.spawn(async {
            if is_interrupted().await.is_ok() {
                kill_everything();
                process::exit(130);
            }
        });
        Ok(Arc::new(Self {
            runtime,
            idle: Mutex::default(),
            machine: sync::RwLock::default(),
            places: Places::default(),
            durations: Mutex::default(),
        }))
    }

    /// A test with the name of its function.
    pub fn test<F>(self: &Arc<Self>, test: F) -> Trial
    where
        F: AsyncFn(&Scene) -> Result<()> + Send + 'static,
    {
        self.trial(name_of::<F>(), test)
    }

    /// A test with this name.
    pub fn test_named<F>(self: &Arc<Self>, name: impl Into<String>, test: F) -> Trial
    where
        F: AsyncFn(&Scene) -> Result<()> + Send + 'static,
    {
        self.trial(name.into(), test)
    }

    /// A test that needs the whole machine: no other test runs at the same time.
    pub fn test_alone<F>(self: &Arc<Self>, test: F) -> Trial
    where
        F: AsyncFn(&Scene) -> Result<()> + Send + 'static,
    {
        self.trial_alone(name_of::<F>(), test)
    }

    /// A test in each browser that runs alone on the machine.
    pub fn test_in_each_alone<F>(self: &Arc<Self>, test: F) -> Vec<Trial>
    where
        F: AsyncFn(&Scene, Engine) -> Result<()> + Copy + Send + 'static,
    {
        let trial = |engine: Engine| {
            let name = format!("{}::{}", name_of::<F>(), engine.name());
            self.trial_alone(name, async move |scene: &Scene| test(scene, engine).await)
        };
        Engine::ALL.map(trial).into()
    }

    /// A measurement, which may take many minutes.
    pub fn long_test<F>(self: &Arc<Self>, test: F) -> Trial
    where
        F: AsyncFn(&Scene) -> Result<()> + Send + 'static,
    {
        self.trial_within(LONG_LIMIT, name_of::<F>(), test)
    }

    /// A measurement of which nobody knows how long it takes.
    pub fn endless_test<F>(self: &Arc<Self>, test: F) -> Trial
    where
        F: AsyncFn(&Scene) -> Result<()> + Send + 'static,
    {
        self.trial_within(ENDLESS, name_of::<F>(), test)
    }

    /// A measurement with this name, which may take many minutes.
    pub fn long_test_named<F>(self: &Arc<Self>, name: impl Into<String>, test: F) -> Trial
    where
        F: AsyncFn(&Scene) -> Result<()> + Send + 'static,
    {
        self.trial_within(LONG_LIMIT, name.into(), test)
    }

    /// A measurement with each pair of browsers.
    pub fn long_tests_in_pairs<F>(self: &Arc<Self>, test: F) -> Vec<Trial>
    where
        F: AsyncFn(&Scene, Pair) -> Result<()> + Copy + Send + 'static,
    {
        let trial = |pair: Pair| {
            let name = format!("{}::{}_{}", name_of::<F>(), pair[0].name(), pair[1].name());
            self.trial_within(LONG_LIMIT, name, async move |scene: &Scene| test(scene, pair).await)
        };
        PAIRS.map(trial).into()
    }

    /// A test in each of these browsers.
    pub fn test_in_each<F>(self: &Arc<Self>, test: F) -> Vec<Trial>
    where
        F: AsyncFn(&Scene, Engine) -> Result<()> + Copy + Send + 'static,
    {
        let trial = |engine: Engine| {
            let name = format!("{}::{}", name_of::<F>(), engine.name());
            self.trial(name, async move |scene: &Scene| test(scene, engine).await)
        };
        Engine::ALL.map(trial).into()
    }

    /// A test with each pair of browsers.
    pub fn test_in_pairs<F>(self: &Arc<Self>, test: F) -> Vec<Trial>
    where
        F: AsyncFn(&Scene, Pair) -> Result<()> + Copy + Send + 'static,
    {
        PAIRS.map(|pair| self.trial_in_pair(pair, test)).into()
    }

    /// A test with each pair of different browsers.
    pub fn test_in_mixed_pairs<F>(self: &Arc<Self>, test: F) -> Vec<Trial>
    where
        F: AsyncFn(&Scene, Pair) -> Result<()> + Copy + Send + 'static,
    {
        MIXED_PAIRS.map(|pair| self.trial_in_pair(pair, test)).into()
    }

    /// Ends every browser, and says which tests took longest.
    pub fn close(&self) {
        self.idle().clear();
        kill_everything();
        let mut durations = self.durations();
        if durations.len() > SLOWEST {
            durations.sort_unstable();
            eprintln!("\nThe slowest tests:");
            for (duration, name) in durations.iter().rev().take(SLOWEST) {
                eprintln!("{:6.1} s  {name}", duration.as_secs_f64());
            }
        }
    }

    fn trial_in_pair<F>(self: &Arc<Self>, pair: Pair, test: F) -> Trial
    where
        F: AsyncFn(&Scene, Pair) -> Result<()> + Copy + Send + 'static,
    {
        let name = format!("{}::{}_{}", name_of::<F>(), pair[0].name(), pair[1].name());
        self.trial(name, async move |scene: &Scene| test(scene, pair).await)
    }

    fn trial<F>(self: &Arc<Self>, name: String, test: F) -> Trial
    where
        F: AsyncFn(&Scene) -> Result<()> + Send + 'static,
    {
        self.trial_within(LIMIT, name, test)
    }

    fn trial_alone<F>(self: &Arc<Self>, name: String, test: F) -> Trial
    where
        F: AsyncFn(&Scene) -> Result<()> + Send + 'static,
    {
        let stage = Arc::clone(self);
        self.trial_on(name, move |scene| {
            stage.runtime.block_on(async {
                let _alone = stage.machine.write().await;
                play(LIMIT, scene, test).await
            })
        })
    }

    fn trial_within<F>(self: &Arc<Self>, limit: Duration, name: String, test: F) -> Trial
    where
        F: AsyncFn(&Scene) -> Result<()> + Send + 'static,
    {
        let stage = Arc::clone(self);
        self.trial_on(name, move |scene| {
            stage.runtime.block_on(async {
                let _beside = stage.machine.read().await;
                play(limit, scene, test).await
            })
        })
    }

    fn trial_on(
        self: &Arc<Self>,
        name: String,
        run: impl FnOnce(Scene) -> Result<()> + Send + 'static,
    ) -> Trial {
        let stage = Arc::clone(self);
        Trial::test(name.clone(), move || {
            let places = HeldPlaces::none_of(&stage.places);
            let scene = Scene {
                stage,
                name,
                places,
                server: sync::Mutex::default(),
                hosts: Mutex::default(),
                pages: Mutex::default(),
            };
            run(scene).map_err(|error| Failed::from(format!("{error:#}")))
        })
    }

    fn durations(&self) -> MutexGuard<'_, Vec<(Duration, String)>> {
        self.durations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Arc<Browser>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(target_os = "linux")]
async fn page_in_room(engine: Engine, room: Room, origin: &str) -> Result<Arc<Page>> {
    let browser = Browser::start_in(Profile::of(engine), room).await?;
    Ok(Arc::new(Page::new(Arc::new(browser), origin.to_owned())))
}

/// Completes on Ctrl-C or a request to end.
async fn is_interrupted() -> std::io::Result<()> {
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminated.recv() => Ok(()),
    }
}

async fn play(limit: Duration, scene: Scene, test: impl AsyncFn(&Scene) -> Result<()>) -> Result<()> {
    let since = Instant::now();
    let played = AssertUnwindSafe(timeout(limit, test(&scene))).catch_unwind().await;
    let outcome = match played {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(anyhow!("it took longer than {} s", limit.as_secs())),
        Err(panic) => Err(anyhow!("{}", panic_message(panic.as_ref()))),
    };
    let took = since.elapsed().saturating_sub(scene.places.waited());
    scene.stage.durations().push((took, scene.name.clone()));
    scene.finish(outcome).await
}

/// The server and pages of one test.
#[derive(Debug)]
pub struct Scene {
    stage: Arc<Stage>,
    name: String,
    places: HeldPlaces,
    server: sync::Mutex<Option<Server>>,
    hosts: Mutex<Vec<Arc<StaticHost>>>,
    pages: Mutex<Vec<Arc<Page>>>,
}

impl Scene {
    /// Starts the server with these options; must be called before the first page.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn serve(&self, options: &[&str]) -> Result<()> {
        *self.server.lock().await = Some(Server::start(options).await?);
        Ok(())
    }

    /// Starts the server with only the client in its binary; must be called before the first page.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn serve_alone(&self) -> Result<()> {
        *self.server.lock().await = Some(Server::start_alone().await?);
        Ok(())
    }

    /// Starts the server on this port.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn serve_on(&self, port: u16) -> Result<()> {
        *self.server.lock().await = Some(Server::start_on(port).await?);
        Ok(())
    }

    /// The server; starts it without options if it does not run.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn server(&self) -> Result<sync::MappedMutexGuard<'_, Server>> {
        let mut server = self.server.lock().await;
        if server.is_none() {
            *server = Some(Server::start(&[]).await?);
        }
        sync::MutexGuard::try_map(server, Option::as_mut).map_err(|_| anyhow!("no server"))
    }

    /// A static host with the client that was built for one, below `path`. It runs until no page is there any more.
    ///
    /// # Errors
    /// Where there is no such client, or the host does not start.
    pub async fn static_host(&self, path: &str) -> Result<Arc<StaticHost>> {
        let built = env::var_os("SIGHTLINE_STATIC_DIST").map(PathBuf::from);
        let built = built.context("`cargo xtask test e2e` builds the client for a static host")?;
        let host = Arc::new(StaticHost::start(&built, path).await?);
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&host));
        Ok(host)
    }

    /// A page in a browser with fake devices.
    ///
    /// # Errors
    /// Where the browser does not start.
    pub async fn page(&self, engine: Engine) -> Result<Arc<Page>> {
        self.page_in(Profile::of(engine)).await
    }

    /// A page in a browser with this configuration.
    ///
    /// # Errors
    /// Where the browser does not start.
    pub async fn page_in(&self, profile: Profile) -> Result<Arc<Page>> {
        self.places.take(1).await?;
        self.open_page(profile).await
    }

    /// A page in each of these browsers, all with fake devices. A test asks for all pages of a call at once, so that the machine
    /// has room for them.
    ///
    /// # Errors
    /// Where a browser does not start.
    pub async fn pages_in<const N: usize>(&self, engines: [Engine; N]) -> Result<[Arc<Page>; N]> {
        self.places.take(N).await?;
        let pages = try_join_all(engines.map(|engine| self.open_page(Profile::of(engine)))).await?;
        pages.try_into().map_err(|_| anyhow!("a page is missing"))
    }

    /// The same for a number of browsers that is known only when the test runs.
    ///
    /// # Errors
    /// Where a browser does not start.
    pub async fn pages_of(&self, engines: &[Engine]) -> Result<Vec<Arc<Page>>> {
        if engines.is_empty() {
            return Ok(Vec::new());
        }
        self.places.take(engines.len()).await?;
        try_join_all(engines.iter().map(|engine| self.open_page(Profile::of(*engine)))).await
    }

    async fn open_page(&self, profile: Profile) -> Result<Arc<Page>> {
        let origin = self.server().await?.url();
        let idle = {
            let mut idle = self.stage.idle();
            let at = idle.iter().position(|browser| browser.profile == profile);
            at.map(|at| idle.swap_remove(at))
        };
        let browser = match idle {
            Some(browser) => browser,
            None => Arc::new(Browser::start(profile).await?),
        };
        let page = Arc::new(Page::new(browser, origin));
        self.pages().push(Arc::clone(&page));
        Ok(page)
    }

    /// The two ends of a new link. Pages and native peers are started there.
    ///
    /// # Errors
    /// Where there is no such link.
    #[cfg(target_os = "linux")]
    pub async fn ends(&self, profile: &LinkProfile) -> Result<Ends> {
        Ends::new(&*self.server().await?, profile)
    }

    /// Two pages in browsers at the two ends of a new link.
    ///
    /// # Errors
    /// Where there is no such link, or a browser does not start.
    #[cfg(target_os = "linux")]
    pub async fn far_apart(&self, pair: Pair, profile: &LinkProfile) -> Result<FarApart> {
        let ends = self.ends(profile).await?;
        let rooms = [Place::A, Place::B].map(|place| ends.room(place));
        let pages = self.pages_in_rooms(pair, rooms, ends.origin()).await?;
        Ok(FarApart { pages, ends })
    }

    /// A page in a browser at one end of a link.
    ///
    /// # Errors
    /// Where the browser does not start.
    #[cfg(target_os = "linux")]
    pub async fn page_at(&self, ends: &Ends, place: Place, engine: Engine) -> Result<Arc<Page>> {
        self.places.take(1).await?;
        let page = page_in_room(engine, ends.room(place), ends.origin()).await?;
        self.pages().push(Arc::clone(&page));
        Ok(page)
    }

    /// Two homes behind these routers, and the server beyond them, with these options.
    ///
    /// # Errors
    /// Where there are no such routers, or the server does not start.
    #[cfg(target_os = "linux")]
    pub async fn homes(&self, routers: [Router; 2], options: &[&str]) -> Result<Homes> {
        let (homes, server) = Homes::new(routers, options).await?;
        *self.server.lock().await = Some(server);
        Ok(homes)
    }

    /// The same with a page in each home.
    ///
    /// # Errors
    /// As [`Self::homes`], or where a browser does not start.
    #[cfg(target_os = "linux")]
    pub async fn at_home(&self, pair: Pair, routers: [Router; 2], options: &[&str]) -> Result<AtHome> {
        let homes = self.homes(routers, options).await?;
        let rooms = [Place::A, Place::B].map(|place| homes.room(place));
        let pages = self.pages_in_rooms(pair, rooms, homes.origin()).await?;
        Ok(AtHome { pages, homes })
    }

    /// A link with the server, which has these options, at its far end.
    ///
    /// # Errors
    /// Where there is no such link, or the server does not start.
    #[cfg(target_os = "linux")]
    pub async fn across(&self, profile: &LinkProfile, options: &[&str]) -> Result<Across> {
        let mut across = Across::new(profile)?;
        let server = Server::start_in(across.room(Place::B), options).await?;
        across.carry(server.port())?;
        *self.server.lock().await = Some(server);
        Ok(across)
    }

    #[cfg(target_os = "linux")]
    async fn pages_in_rooms(&self, pair: Pair, rooms: [Room; 2], origin: &str) -> Result<[Arc<Page>; 2]> {
        self.places.take(2).await?;
        let [first, second] = rooms;
        let pages: [Arc<Page>; 2] =
            tokio::try_join!(page_in_room(pair[0], first, origin), page_in_room(pair[1], second, origin))?
                .into();
        self.pages().extend(pages.iter().cloned());
        Ok(pages)
    }

    /// Kills a page's browser, as a loss of power does.
    ///
    /// # Errors
    /// Where it cannot be waited for.
    pub async fn lose_power(&self, page: &Arc<Page>) -> Result<()> {
        self.pages().retain(|other| !Arc::ptr_eq(other, page));
        page.browser.kill().await
    }

    /// Checks the consoles, keeps the browsers of a test that passed, and saves the evidence of one that failed.
    async fn finish(&self, outcome: Result<()>) -> Result<()> {
        let pages = std::mem::take(&mut *self.pages());
        let outcome = match outcome {
            Ok(()) => self.judge_consoles(&pages).await,
            failed => failed,
        };
        if outcome.is_err() {
            self.keep_evidence(&pages).await;
            eprintln!("{}: the server said:\n{}", self.name, self.server_said().await);
        } else {
            for page in &pages {
                if page.browser.is_anywhere() && page.browser.clear().await.is_ok() {
                    self.stage.idle().push(Arc::clone(&page.browser));
                }
            }
        }
        drop(pages);
        // Stopped last, so that no page sees the server or its host end.
        self.server.lock().await.take();
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner).clear();
        outcome
    }

    /// Checks that no page logged an unexpected error. A socket that did not open is reported with its history and is not a
    /// failure by itself: the page opens another one, and the test fails if that does not help.
    async fn judge_consoles(&self, pages: &[Arc<Page>]) -> Result<()> {
        for page in pages {
            let engine = page.browser.profile.engine.name();
            let errors =
                page.unexpected_errors().await.with_context(|| format!("the console of {engine}"))?;
            let (sockets, errors): (Vec<_>, Vec<_>) =
                errors.into_iter().partition(|error| is_socket_that_did_not_open(error));
            if !errors.is_empty() {
                bail!("unexpected in the console of {engine} at {}:\n{}", page.origin(), errors.join("\n"));
            }
            if !sockets.is_empty() {
                eprintln!(
                    "{}: in {engine} {} sockets did not open:\n{}\nthe server said:\n{}",
                    self.name,
                    sockets.len(),
                    page.socket_log().await.unwrap_or_default().join("\n"),
                    self.server_said().await,
                );
            }
        }
        Ok(())
    }

    async fn server_said(&self) -> String {
        let mut server = self.server.lock().await;
        server.as_mut().map(Server::said).unwrap_or_default().join("\n")
    }

    /// Saves screenshots in the build folder, and prints the consoles.
    async fn keep_evidence(&self, pages: &[Arc<Page>]) {
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| "../target".into(), PathBuf::from);
        let folder = target.join("e2e").join(self.name.replace("::", "."));
        let _ = fs::create_dir_all(&folder);
        for (at, page) in pages.iter().enumerate() {
            let file = folder.join(format!("{at}-{}.png", page.browser.profile.engine.name()));
            let errors = page.unexpected_errors().await.unwrap_or_else(|error| vec![error.to_string()]);
            let kept = timeout(Duration::from_secs(20), page.browser.driver.screenshot(&file)).await;
            eprintln!(
                "{}: page {at}: {}; unexpected in its console: {errors:?}",
                self.name,
                if matches!(kept, Ok(Ok(()))) {
                    file.display().to_string()
                } else {
                    "no screenshot".to_owned()
                },
            );
            // Which picture stands still, and whether it was sent or not received, takes both sides of a connection to say.
            let flows = timeout(Duration::from_secs(20), page.video_flows()).await;
            let flows = flows.unwrap_or_else(|_| Err(anyhow!("the page did not answer")));
            eprintln!("{}: page {at}: {flows:?}", self.name);
        }
    }

    fn pages(&self) -> MutexGuard<'_, Vec<Arc<Page>>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Firefox and Chromium use different words for this error.
fn is_socket_that_did_not_open(error: &str) -> bool {
    error.contains("a connection to the server at ws") || error.contains("WebSocket connection to 'ws")
}

/// `call::they_see_each_other` of `e2e::call::they_see_each_other`.
fn name_of<F>() -> String {
    let full = type_name::<F>();
    full.split_once("::").map_or(full, |(_, name)| name).to_owned()
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it panicked".to_owned())
}
