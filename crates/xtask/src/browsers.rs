//! The browsers and drivers that the tests need.

use std::{env, fs, path::PathBuf};

use anyhow::{Result, bail};

use crate::{
    install,
    system::{Needed, System},
    tools,
};

const AXE_VERSION: &str = "4.14.0";

/// The result of [`test_tools`].
pub(crate) struct TestTools {
    /// The Chromium executable.
    pub(crate) chromium: PathBuf,
    /// The driver of Chromium.
    pub(crate) chromedriver: PathBuf,
    firefox: PathBuf,
    /// The driver of Firefox.
    pub(crate) geckodriver: PathBuf,
    /// The program that runs wasm tests in a browser.
    pub(crate) wasm_bindgen_test_runner: PathBuf,
    /// The script that checks accessibility.
    axe: PathBuf,
}

impl TestTools {
    /// Prints the tools in use.
    pub(crate) fn print(&self) {
        println!("chromium: {}, {}", self.chromium.display(), self.chromedriver.display());
        println!("firefox: {}, {}", self.firefox.display(), self.geckodriver.display());
    }

    /// Passes the paths of the tools to a test, in the variables that `tests/` and wasm-bindgen's runner know.
    pub(crate) fn name_browsers(&self, command: &mut std::process::Command) {
        command
            .env("SIGHTLINE_CHROMIUM", &self.chromium)
            .env("SIGHTLINE_FIREFOX", &self.firefox)
            .env("CHROMEDRIVER", &self.chromedriver)
            .env("GECKODRIVER", &self.geckodriver)
            .env("SIGHTLINE_AXE", &self.axe);
    }
}

/// Finds the browsers and drivers and installs the missing ones.
///
/// # Errors
/// Where one is missing and cannot be installed; the message says how to get it.
pub(crate) fn test_tools() -> Result<TestTools> {
    let missing: Vec<_> = PROGRAMS.iter().filter(|program| program.find().is_none()).collect();
    if !missing.is_empty() && install::apt_is_ours() {
        let packages: Vec<_> = missing.iter().map(|program| program.debian_package).collect();
        println!("installing Debian's {}, which the tests drive: 1 to 3 minutes", packages.join(", "));
        install::from_apt(&packages)?;
    }
    network_tools();
    let still_missing: Vec<_> = PROGRAMS.iter().filter(|program| program.find().is_none()).collect();
    if !still_missing.is_empty() {
        let how: Vec<_> = still_missing.iter().map(|program| program.how_to_get_it()).collect();
        bail!("the tests need browsers that are not installed:\n{}", how.join("\n"));
    }
    let [Some(chromium), Some(chromedriver), Some(firefox)] = PROGRAMS.each_ref().map(Program::find) else {
        bail!("a browser that was found a moment ago is gone");
    };
    Ok(TestTools {
        chromium,
        chromedriver,
        firefox,
        geckodriver: tools::geckodriver()?,
        wasm_bindgen_test_runner: tools::wasm_bindgen_test_runner()?,
        axe: axe()?,
    })
}

fn axe() -> Result<PathBuf> {
    let package = install::npm_package_dir("axe-core")?;
    let manifest = fs::read_to_string(package.join("package.json")).unwrap_or_default();
    if !manifest.contains(&format!("\"version\": \"{AXE_VERSION}\"")) {
        println!(
            "installing the npm package axe-core, which judges how accessible the pages are: under a minute"
        );
        install::from_npm("axe-core", AXE_VERSION)?;
    }
    Ok(package.join("axe.min.js"))
}

/// The further programs that network tests need, with the Debian packages that contain them. Tests of missing programs are
/// reported as ignored.
pub(crate) fn network_tools() {
    let missing: Vec<_> = NETWORK_TOOLS.into_iter().filter(|(tool, _)| which::which(tool).is_err()).collect();
    if missing.is_empty() {
        return;
    }
    let packages: Vec<_> = missing.iter().map(|(_, package)| *package).collect();
    let installed = install::apt_is_ours() && {
        println!(
            "installing Debian's {}, for tests of relays and networks: under a minute",
            packages.join(", ")
        );
        install::from_apt(&packages).is_ok()
    };
    if !installed {
        println!("{} not installed: tests that need them are reported as ignored", packages.join(", "));
    }
}

const NETWORK_TOOLS: [(&str, &str); 3] =
    [("turnutils_uclient", "coturn"), ("nft", "nftables"), ("ip", "iproute2")];

struct Program {
    name: &'static str,
    /// The variable with the user's choice.
    variable: &'static str,
    candidates: &'static [&'static str],
    debian_package: &'static str,
    needed: Needed,
}

const PROGRAMS: [Program; 3] = [
    Program {
        name: "Chromium",
        variable: "SIGHTLINE_CHROMIUM",
        candidates: &[
            "chromium",
            "chromium-browser",
            "google-chrome-stable",
            "google-chrome",
            "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
            "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
        ],
        debian_package: "chromium",
        needed: Needed::Chromium,
    },
    Program {
        name: "chromedriver",
        variable: "CHROMEDRIVER",
        candidates: &["chromedriver", "chromium.chromedriver"],
        debian_package: "chromium-driver",
        needed: Needed::Chromedriver,
    },
    Program {
        name: "Firefox",
        variable: "SIGHTLINE_FIREFOX",
        candidates: &[
            "firefox-esr",
            "firefox",
            "/Applications/Firefox.app/Contents/MacOS/firefox",
            "C:\\Program Files\\Mozilla Firefox\\firefox.exe",
        ],
        debian_package: "firefox-esr",
        needed: Needed::Firefox,
    },
];

impl Program {
    fn find(&self) -> Option<PathBuf> {
        match env::var_os(self.variable) {
            Some(chosen) => which::which(chosen).ok(),
            None => self.candidates.iter().find_map(|candidate| which::which(candidate).ok()),
        }
    }

    fn how_to_get_it(&self) -> String {
        format!(
            "  {}: {}; if it is elsewhere than on PATH, name it in {}",
            self.name,
            System::of_this_machine().advice(self.needed),
            self.variable
        )
    }
}
