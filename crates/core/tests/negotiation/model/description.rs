//! A model description, written as an SDP that only the model reads completely.

/// An offer or an answer of a model browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Description {
    /// Identifies the exchange: unique for each offer; an answer has the id of its offer.
    pub(crate) id: u64,
    /// The exchange that was agreed when the offer was made; 0 for none. The offer describes changes to that exchange.
    pub(crate) base: u64,
    /// Number of its maker's wishes in the offer.
    pub(crate) wishes: u32,
    pub(crate) ufrag: String,
}

impl Description {
    pub(crate) fn to_sdp(&self) -> String {
        let Self { id, base, wishes, ufrag } = self;
        format!("v=0\r\na=ice-ufrag:{ufrag}\r\nx-id:{id}\r\nx-base:{base}\r\nx-wishes:{wishes}\r\n")
    }

    pub(crate) fn from_sdp(sdp: &str) -> Self {
        Self {
            id: number(sdp, "x-id:"),
            base: number(sdp, "x-base:"),
            wishes: number(sdp, "x-wishes:"),
            ufrag: field(sdp, "a=ice-ufrag:").to_owned(),
        }
    }
}

fn number<T: std::str::FromStr>(sdp: &str, name: &str) -> T {
    field(sdp, name).parse().ok().expect("a number")
}

fn field<'a>(sdp: &'a str, name: &str) -> &'a str {
    sdp.lines().find_map(|line| line.strip_prefix(name)).expect("the model writes every field")
}
