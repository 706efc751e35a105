//! Names the command that installs a missing program on the system of this machine.

use std::fs;

/// A family of systems with one package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    Debian,
    /// Like Debian, but its browsers are snaps.
    Ubuntu,
    Fedora,
    Arch,
    MacOs,
    Windows,
    Other,
}

/// A program that somebody has to install.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needed {
    Chromium,
    Chromedriver,
    Firefox,
    Npm,
}

impl System {
    pub(crate) fn of_this_machine() -> Self {
        match std::env::consts::OS {
            "macos" => Self::MacOs,
            "windows" => Self::Windows,
            "linux" => Self::from_os_release(&fs::read_to_string("/etc/os-release").unwrap_or_default()),
            _ => Self::Other,
        }
    }

    /// From the text of `/etc/os-release`: `ID` is the system, `ID_LIKE` those that it descends from, the nearest first.
    fn from_os_release(text: &str) -> Self {
        let value = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            line.unwrap_or_default().trim_matches('"').to_owned()
        };
        let names = format!("{} {}", value("ID"), value("ID_LIKE"));
        let known = names.split_whitespace().find_map(|name| match name {
            "debian" => Some(Self::Debian),
            "ubuntu" => Some(Self::Ubuntu),
            "fedora" | "rhel" | "centos" => Some(Self::Fedora),
            "arch" => Some(Self::Arch),
            _ => None,
        });
        known.unwrap_or(Self::Other)
    }

    /// The command that installs a program; `None` for a system that is not known.
    pub(crate) fn command(self, needed: Needed) -> Option<&'static str> {
        use Needed::{Chromedriver, Chromium, Firefox, Npm};
        let command = match (self, needed) {
            (Self::Debian, Chromium) => "apt install chromium",
            (Self::Debian, Chromedriver) => "apt install chromium-driver",
            (Self::Debian, Firefox) => "apt install firefox-esr",
            (Self::Debian | Self::Ubuntu, Npm) => "apt install npm",
            // The snap has the driver too.
            (Self::Ubuntu, Chromium | Chromedriver) => "snap install chromium",
            (Self::Ubuntu, Firefox) => "snap install firefox",
            (Self::Fedora, Chromium) => "dnf install chromium",
            (Self::Fedora, Chromedriver) => "dnf install chromedriver",
            (Self::Fedora, Firefox) => "dnf install firefox",
            (Self::Fedora, Npm) => "dnf install nodejs-npm",
            (Self::Arch, Chromium | Chromedriver) => "pacman -S chromium",
            (Self::Arch, Firefox) => "pacman -S firefox",
            (Self::Arch, Npm) => "pacman -S npm",
            (Self::MacOs, Chromium) => "brew install --cask google-chrome",
            (Self::MacOs, Chromedriver) => "brew install --cask chromedriver",
            (Self::MacOs, Firefox) => "brew install --cask firefox",
            (Self::MacOs, Npm) => "brew install node",
            (Self::Windows, Chromium) => "winget install Google.Chrome",
            (Self::Windows, Chromedriver) => "npx @puppeteer/browsers install chromedriver@stable",
            (Self::Windows, Firefox) => "winget install Mozilla.Firefox",
            (Self::Windows, Npm) => "winget install OpenJS.NodeJS.LTS",
            (Self::Other, _) => return None,
        };
        Some(command)
    }

    /// What to do about a missing program, as the end of a sentence.
    pub(crate) fn advice(self, needed: Needed) -> String {
        self.command(needed).map_or_else(
            || "install it with the package manager of your system".to_owned(),
            |command| format!("`{command}`"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_known_by_its_name_or_by_its_nearest_ancestor() {
        for (text, system) in [
            ("PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\n", System::Debian),
            ("ID=ubuntu\nID_LIKE=debian\n", System::Ubuntu),
            ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", System::Ubuntu),
            ("ID=raspbian\nID_LIKE=debian\n", System::Debian),
            ("ID=fedora\n", System::Fedora),
            ("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", System::Fedora),
            ("ID=nixos\n", System::Other),
            ("", System::Other),
        ] {
            assert_eq!(System::from_os_release(text), system, "{text}");
        }
    }

    #[test]
    fn a_missing_browser_is_named_with_the_command_of_the_system() {
        assert_eq!(System::Debian.advice(Needed::Firefox), "`apt install firefox-esr`");
        assert_eq!(System::Ubuntu.advice(Needed::Firefox), "`snap install firefox`");
        assert!(System::Other.advice(Needed::Npm).contains("package manager"));
    }
}
