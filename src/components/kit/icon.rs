//! The icons: strokes on a grid of 24 by 24 units.

use leptos::prelude::*;

/// An icon, named after its meaning. Each is a constant and not a variant of an enum, so that its path stands in the module that
/// shows it and not in the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IconName(&'static str);

#[allow(missing_docs, reason = "each is named after what it shows")]
impl IconName {
    pub const ALERT: Self = Self("M12 4.5 21 20H3L12 4.5ZM12 10.5v4M12 17.2v.1");
    pub const ARROW: Self = Self("M5 12h14M13 6l6 6-6 6");
    pub const ATTACH: Self = Self(
        "M20 11.5 12 19.5a4.6 4.6 0 0 1-6.5-6.5l8.2-8.2a3 3 0 0 1 4.3 4.3l-8 8a1.5 1.5 0 0 1-2.1-2.1L15 8",
    );
    pub const CAMERA: Self = Self(
        "M5 6.5h7.5a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2ZM14.5 11l6-3.5v9l-6-3.5",
    );
    pub const CAMERA_OFF: Self = Self(
        "M10 6.5h2.5a2 2 0 0 1 2 2v2.5l6-3.5v9l-2-1.2M14.2 16.6a2 2 0 0 1-1.7.9H5a2 2 0 0 1-2-2v-7a2 2 0 0 1 1.3-1.9M3.5 3.5l17 17",
    );
    pub const CAMERA_SWITCH: Self = Self("M4 8h4l1.5-2h5L16 8h4v11H4ZM9 12h6l-2-2M15 15H9l2 2");
    pub const CHART: Self = Self("M5 20v-6M12 20V4M19 20v-9");
    pub const CHAT: Self =
        Self("M5 5h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-7l-4.5 3.5V17H5a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2Z");
    pub const CHECK: Self = Self("m5 12.5 4.5 4.5L19 7.5");
    pub const CLOCK: Self = Self("M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16ZM12 8v4.5l3 1.5");
    pub const CLOSE: Self = Self("m6 6 12 12M18 6 6 18");
    pub const COPY: Self = Self("M9 9h11v11H9zM15 5V4H4v11h1");
    pub const DOOR: Self = Self("M6.5 20V5.5A1.5 1.5 0 0 1 8 4h8a1.5 1.5 0 0 1 1.5 1.5V20M4 20h16M14 12v1");
    pub const DOWNLOAD: Self = Self("M12 4v11M7 10.5l5 5 5-5M5 20h14");
    pub const EXPAND: Self = Self("M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5");
    pub const FILM: Self = Self(
        "M5 4.5h14a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-11a2 2 0 0 1 2-2ZM10 8.8v6.4l5.2-3.2Z",
    );
    pub const FOLDER: Self = Self(
        "M4 6.5a1.5 1.5 0 0 1 1.5-1.5H9l2 2.5h7.5A1.5 1.5 0 0 1 20 9v8.5a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 17.5Z",
    );
    pub const GLOBE: Self = Self(
        "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM3 12h18M12 3c2.5 2.5 3.7 5.6 3.7 9s-1.2 6.5-3.7 9c-2.5-2.5-3.7-5.6-3.7-9s1.2-6.5 3.7-9Z",
    );
    pub const HAND: Self = Self(
        "M8 12V6.3a1.5 1.5 0 0 1 3 0V11M11 11V4.5a1.5 1.5 0 0 1 3 0V11M14 11V6.3a1.5 1.5 0 0 1 3 0V14a6.5 6.5 0 0 1-12 3.5l-1.9-3.3a1.5 1.5 0 0 1 2.6-1.5L8 15.5V12",
    );
    pub const INVITE: Self =
        Self("M10 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7ZM3.5 20a6.5 6.5 0 0 1 13 0M19 8.5v6M16 11.5h6");
    pub const KEY: Self = Self("M8 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 12h8.5v3M17 12v2.5");
    pub const KEYBOARD: Self = Self(
        "M4 6.5h16a1.5 1.5 0 0 1 1.5 1.5v8a1.5 1.5 0 0 1-1.5 1.5H4A1.5 1.5 0 0 1 2.5 16V8A1.5 1.5 0 0 1 4 6.5ZM8 14.2h8M6.5 10.2h.1M10.2 10.2h.1M13.8 10.2h.1M17.5 10.2h.1",
    );
    pub const LEAVE: Self = Self(
        "M3 14.3c0-1 .3-1.9 1-2.5 4.4-3.8 11.6-3.8 16 0 .7.6 1 1.5 1 2.5v1a1.2 1.2 0 0 1-1.5 1.2l-3-.8a1.2 1.2 0 0 1-.9-1.2v-1.9a11 11 0 0 0-7.2 0v1.9a1.2 1.2 0 0 1-.9 1.2l-3 .8A1.2 1.2 0 0 1 3 15.3Z",
    );
    pub const LINK: Self = Self(
        "M10 14a4 4 0 0 0 5.7 0l3.1-3.1a4 4 0 0 0-5.7-5.7l-1.2 1.2M14 10a4 4 0 0 0-5.7 0l-3.1 3.1a4 4 0 0 0 5.7 5.7l1.2-1.2",
    );
    pub const LOCK: Self = Self("M6 11h12v9H6ZM8.5 11V8a3.5 3.5 0 0 1 7 0v3");
    pub const LOCK_OPEN: Self = Self("M6 11h12v9H6ZM8.5 11V7a3.5 3.5 0 0 1 6.8-1.2");
    pub const LOOP: Self =
        Self("M17 3.5 20 6.5l-3 3M4 11V9.5a3 3 0 0 1 3-3h13M7 20.5l-3-3 3-3M20 13v1.5a3 3 0 0 1-3 3H4");
    pub const MICROPHONE: Self =
        Self("M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3ZM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21");
    pub const MICROPHONE_OFF: Self = Self(
        "M9.3 4.7A3 3 0 0 1 15 6v4.5M9 9.5V11a3 3 0 0 0 4.7 2.5M5.5 11a6.5 6.5 0 0 0 10.5 5.1M18.5 11c0 .9-.2 1.8-.5 2.6M12 17.5V21M3.5 3.5l17 17",
    );
    pub const MOVE: Self = Self("M12 3v18M3 12h18M9 6l3-3 3 3M9 18l3 3 3-3M6 9l-3 3 3 3M18 9l3 3-3 3");
    pub const NOTHING: Self = Self("M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM6 6l12 12");
    pub const PAUSE: Self = Self("M8.5 5v14M15.5 5v14");
    pub const PEOPLE: Self = Self(
        "M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7ZM2.5 20a6.5 6.5 0 0 1 13 0M16 5.3a3.5 3.5 0 0 1 0 6.4M18 14.3a6.5 6.5 0 0 1 3.5 5.7",
    );
    pub const PLAY: Self = Self("M8 5v14l11-7Z");
    pub const PLUS: Self = Self("M12 5v14M5 12h14");
    pub const PULSE: Self = Self("M3 12h4l2.5-6.5 4.5 13L16.5 12H21");
    pub const RESTART: Self = Self("M6 5v14M19 5.5v13L9 12Z");
    pub const SCREEN: Self =
        Self("M5 4.5h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-8a2 2 0 0 1 2-2ZM8.5 20h7M12 16.5V20");
    pub const SEND: Self = Self("M12 19V5M6 11l6-6 6 6");
    pub const SETTINGS: Self = Self(
        "M4 7.5h9M17 7.5h3M15 5.5a2 2 0 1 0 0 4 2 2 0 0 0 0-4ZM4 16.5h3M11 16.5h9M9 14.5a2 2 0 1 0 0 4 2 2 0 0 0 0-4Z",
    );
    pub const SHARE: Self = Self("M12 15V4M8 7.5 12 3.5l4 4M7 11H5.5v9h13v-9H17");
    pub const SMILE: Self =
        Self("M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM8 14.2a4.6 4.6 0 0 0 8 0M9 9.5v.3M15 9.5v.3");
    pub const SOUND: Self =
        Self("M4 9.5v5h3.5l4.5 4v-13l-4.5 4H4ZM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11");
    pub const THEME: Self =
        Self("M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM12 3.5v17M12 8h6.5M12 12h8.5M12 16h6.5");
    pub const UPLOAD: Self = Self("M12 20V9M7 13.5l5-5 5 5M5 4h14");
    pub const WINDOW: Self =
        Self("M5 5h14a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2ZM12.5 12.5h5v3.5h-5Z");
}

/// An icon, hidden from assistive technology: the text beside it has the same meaning.
#[component]
pub fn Icon(
    /// The icon to draw.
    #[prop(into)]
    name: Signal<IconName>,
) -> AnyView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
            <path d=Signal::derive(move || name.get().0)></path>
        </svg>
    }
    .into_any()
}
