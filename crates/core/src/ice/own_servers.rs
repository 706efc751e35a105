//! The person's own ICE servers, one on each line: the address, followed by user name and password for a relay.

use sightline_protocol::signaling::IceServer;

use super::url::IceUrl;

/// Number of servers that are read. More make gathering slow, since browsers ask each from every address of the computer.
pub const MAX_OWN_SERVERS: usize = 8;

/// Longest text that is read, in bytes.
pub const MAX_OWN_SERVERS_BYTES: usize = 4096;

/// Why a line is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineProblem {
    /// The line does not begin with an address that browsers accept.
    NoAddress,
    /// A relay without user name and password, which browsers refuse.
    NoCredentials,
    /// There are [`MAX_OWN_SERVERS`] servers before this line.
    TooMany,
    /// The browser refuses the address, for example because of its port.
    Refused,
}

/// The servers that were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnServers {
    /// The usable servers, in the order of their lines.
    pub servers: Vec<IceServer>,
    /// The first line that is not used, counted from 1, and the reason.
    pub problem: Option<(usize, LineProblem)>,
}

impl OwnServers {
    /// Reads the lines and skips empty ones. `is_taken` says whether the browser accepts a server.
    #[must_use]
    pub fn read(text: &str, is_taken: impl Fn(&IceServer) -> bool) -> Self {
        let text = text.get(..text.floor_char_boundary(MAX_OWN_SERVERS_BYTES)).unwrap_or_default();
        let mut own = Self::default();
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        for (at, line) in lines {
            let read = match read_line(line) {
                Ok(_) if own.servers.len() == MAX_OWN_SERVERS => Err(LineProblem::TooMany),
                Ok(server) if !is_taken(&server) => Err(LineProblem::Refused),
                read => read,
            };
            match read {
                Ok(server) => own.servers.push(server),
                Err(problem) => own.problem = own.problem.or(Some((at + 1, problem))),
            }
        }
        own
    }
}

fn read_line(line: &str) -> Result<IceServer, LineProblem> {
    let line = line.trim();
    let (address, credentials) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let url = IceUrl::parse(address).map_err(|_| LineProblem::NoAddress)?;
    let urls = vec![address.to_owned()];
    if !url.is_turn {
        return Ok(IceServer { urls, username: None, credential: None });
    }
    let (username, credential) =
        credentials.trim().split_once(char::is_whitespace).ok_or(LineProblem::NoCredentials)?;
    // A password may contain spaces.
    let credential = credential.trim().to_owned();
    Ok(IceServer { urls, username: Some(username.to_owned()), credential: Some(credential) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> OwnServers {
        OwnServers::read(text, |_| true)
    }

    #[test]
    fn a_line_is_an_address_and_for_a_relay_its_credentials() {
        let own = read("stun:a.example\r\n\n  turn:b.example:80?transport=tcp\tada  love lace \n");
        assert_eq!(own.problem, None);
        let [stun, turn] = &own.servers[..] else { panic!("{own:?}") };
        assert_eq!((stun.urls[0].as_str(), &stun.username), ("stun:a.example", &None));
        assert_eq!(turn.urls, ["turn:b.example:80?transport=tcp"]);
        assert_eq!((turn.username.as_deref(), turn.credential.as_deref()), (Some("ada"), Some("love lace")));
    }

    #[test]
    fn the_first_line_that_cannot_be_used_is_named_and_the_others_are_used() {
        let problem = |text| read(text).problem;
        assert_eq!(problem(""), None);
        assert_eq!(problem("stun:a\nb.example\nturn:c"), Some((2, LineProblem::NoAddress)));
        assert_eq!(problem("\n\nturn:a ada"), Some((3, LineProblem::NoCredentials)));
        assert_eq!(read("turn:a\nstun:b").servers.len(), 1);
        let refused = OwnServers::read("stun:a:9\nstun:b", |server| server.urls[0] != "stun:a:9");
        assert_eq!((refused.servers.len(), refused.problem), (1, Some((1, LineProblem::Refused))));
    }

    #[test]
    fn the_number_of_servers_and_the_length_of_the_text_are_bounded() {
        let own = read(&"stun:a\n".repeat(MAX_OWN_SERVERS + 1));
        assert_eq!(own.servers.len(), MAX_OWN_SERVERS);
        assert_eq!(own.problem, Some((MAX_OWN_SERVERS + 1, LineProblem::TooMany)));
        // The text is cut in the middle of a character.
        let long = format!("stun:a\nx{}", "ü".repeat(MAX_OWN_SERVERS_BYTES));
        assert_eq!(read(&long).problem, Some((2, LineProblem::NoAddress)));
    }
}
