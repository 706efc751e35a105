//! All states of the interface with invented people, for work on its design: `/gallery/<scene>`. Built only with the feature
//! `gallery`.

use leptos::prelude::*;
use sightline_browser::media::frame_watch::FrameWatch;
use sightline_core::{
    budget::Standing,
    chat::{DeliveryState, MessageNumber, prepare},
    measure::{
        Figure, FigureValue, Metric, Unit,
        connection::{Cause, ConnectionDetails, History, LinkPath, Quality},
    },
    notice::NoticeCode,
    room::LinkState,
    signaling::SignalingStatus,
    trust::{Acquaintance, RoomSecret, Verification},
};
use sightline_protocol::{
    RoomName,
    control::{Playback, PublishedSource},
};
use wasm_bindgen::prelude::wasm_bindgen;

use super::room::{call::Call, lobby::Lobby};
use crate::{
    parameters::Parameters,
    route::RoomLink,
    session::model::{
        ChatLine, DeviceChoice, FileModel, LobbyActions, LobbyModel, Preferences, Remembered, RoomActions,
        RoomModel, RunShown, SettingsModel, SourceChoice, TileModel,
    },
};

const NAMES: [&str; 8] =
    ["Ada Lovelace", "王小明", "", "Grace Hopper", "Linus", "山田 太郎", "Zoë", "<b>Bobby</b>"];
const WARNINGS: [NoticeCode; 11] = [
    NoticeCode::PermissionDenied,
    NoticeCode::PermissionPending,
    NoticeCode::NoDevice,
    NoticeCode::DeviceInUse,
    NoticeCode::CameraLost,
    NoticeCode::InsecureContext,
    NoticeCode::AutoplayBlocked,
    NoticeCode::SignalingLost,
    NoticeCode::ConnectionFailed,
    NoticeCode::MessageTooLong,
    NoticeCode::SignalsRefused,
];
const OBSTACLES: [NoticeCode; 18] = [
    NoticeCode::UnsupportedBrowser,
    NoticeCode::RoomNameInvalid,
    NoticeCode::InvitationInvalid,
    NoticeCode::NameInvalid,
    NoticeCode::RoomFull,
    NoticeCode::RoomLocked,
    NoticeCode::LinkChanged,
    NoticeCode::KnockRefused,
    NoticeCode::KnockUnanswered,
    NoticeCode::RoomNotOpen,
    NoticeCode::Removed,
    NoticeCode::RoomEnded,
    NoticeCode::OriginRefused,
    NoticeCode::HostRefused,
    NoticeCode::ServerUnreachable,
    NoticeCode::Replaced,
    NoticeCode::ProtocolError,
    NoticeCode::ProtocolVersion,
    NoticeCode::ServerFull,
];

/// A scene: `lobby`, `lobby-off`, `lobby-denied`, `room-1` to `room-8`, `states`, `chat`, `notices`, or the code of
/// a notice.
#[component]
pub fn Gallery(
    /// The name of the scene.
    scene: String,
) -> AnyView {
    let Ok(room) = RoomName::new("7gk2m-x4q0p-wz81c-e5hvt-n3j6ya") else { return ().into_any() };
    let link = RoomLink { name: room.clone(), secret: Some(RoomSecret::from_random(0)) };
    let found = |code: &NoticeCode| code.as_str() == scene;
    match scene.as_str() {
        "lobby" => {
            let model = lobby_model(SourceChoice::Camera, vec![]);
            model.preview.set(Some(fake_stream(30).into()));
            view! { <Lobby room=link model=model actions=lobby_actions() /> }.into_any()
        }
        "lobby-off" => {
            let model = lobby_model(SourceChoice::None, vec![]);
            view! { <Lobby room=link model=model actions=lobby_actions() /> }.into_any()
        }
        "lobby-denied" => {
            let model = lobby_model(
                SourceChoice::Camera,
                vec![NoticeCode::PermissionDenied, NoticeCode::InsecureContext],
            );
            model.settings.cameras.set(vec![]);
            view! { <Lobby room=link model=model actions=lobby_actions() /> }.into_any()
        }
        "notices" => {
            let model = room_model(2);
            model.notices.set(WARNINGS.to_vec());
            view! { <Call room=room model=model actions=room_actions(model) /> }.into_any()
        }
        "states" => {
            let model = room_model(8);
            show_states(model);
            view! { <Call room=room model=model actions=room_actions(model) /> }.into_any()
        }
        "chat" => {
            let model = room_model(3);
            model.chat.set(conversation());
            model.notices.set(vec![NoticeCode::SignalingLost]);
            model.status.set(SignalingStatus::Reconnecting);
            view! { <Call room=room model=model actions=room_actions(model) /> }.into_any()
        }
        _ => {
            let obstacle = OBSTACLES.into_iter().find(found);
            let count = scene.strip_prefix("room-").and_then(|count| count.parse().ok()).unwrap_or(1);
            let model = room_model(count);
            model.notices.set(obstacle.into_iter().collect());
            view! { <Call room=room model=model actions=room_actions(model) /> }.into_any()
        }
    }
}

fn lobby_model(source: SourceChoice, notices: Vec<NoticeCode>) -> LobbyModel {
    LobbyModel {
        name: RwSignal::new("Ada Lovelace".to_owned()),
        source: RwSignal::new(source),
        needs_source_gesture: RwSignal::new(false),
        file: file_model(),
        microphone: RwSignal::new(true),
        is_microphone_missing: RwSignal::new(false),
        settings: settings_model(),
        preview: RwSignal::new_local(None),
        is_held: RwSignal::new(false),
        wishes: StoredValue::new(Vec::new()),
        is_asking: RwSignal::new(false),
        level: RwSignal::new(0.55),
        notices: RwSignal::new(notices),
    }
}

fn file_model() -> FileModel {
    FileModel {
        is_open: RwSignal::new(false),
        is_loading: RwSignal::new(false),
        name: RwSignal::new(None),
        playback: RwSignal::new(Playback::Paused),
        position_s: RwSignal::new(0.0),
        duration_s: RwSignal::new(None),
        size: RwSignal::new((0, 0)),
        is_looping: RwSignal::new(false),
        volume: RwSignal::new(1.0),
        is_stamping: RwSignal::new(false),
        paint_cost_us: RwSignal::new(None),
        needs_gesture: RwSignal::new(false),
    }
}

fn settings_model() -> SettingsModel {
    let device = |id: &str, label: &str| DeviceChoice { id: id.to_owned(), label: label.to_owned() };
    SettingsModel {
        preferences: Preferences::load(&Parameters::default(), false),
        cameras: RwSignal::new(vec![device("a", "FaceTime HD Camera"), device("b", "")]),
        microphones: RwSignal::new(vec![device("c", "Built-in Microphone")]),
        speakers: RwSignal::new(vec![]),
        prompt_for_speaker: None,
    }
}

fn lobby_actions() -> LobbyActions {
    LobbyActions {
        join: Callback::new(|()| {}),
        choose_source: Callback::new(|_| {}),
        file: Callback::new(|_| {}),
        release: Callback::new(|()| {}),
        ask_again: Callback::new(|()| {}),
        dismiss: Callback::new(|_| {}),
    }
}

fn room_model(count: usize) -> RoomModel {
    let others = (1..count).map(other).collect::<Vec<_>>();
    let local = tile("local", "Me Myself", 0);
    local.is_mirrored.set(true);
    local.quality.set(None);
    RoomModel {
        status: RwSignal::new(SignalingStatus::Connected),
        notices: RwSignal::new(vec![]),
        local,
        others: RwSignal::new(others),
        host: crate::session::model::HostModel::default(),
        shown_picture: RwSignal::new(None),
        has_entered: RwSignal::new(true),
        chat: RwSignal::new(vec![]),
        is_chat_cut: RwSignal::new(false),
        transfers: crate::session::model::TransfersModel::default(),
        invitation: RwSignal::new(
            "https://call.example/room/7gk2m-x4q0p-wz81c-e5hvt-n3j6ya#AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        ),
        is_protected: true,
        needs_gesture: RwSignal::new(false),
        source: RwSignal::new(SourceChoice::Camera),
        run: RwSignal::new(RunShown::default()),
        is_report_saved: RwSignal::new(false),
        measured_by: RwSignal::new(Vec::new()),
        needs_source_gesture: RwSignal::new(false),
        file: file_model(),
        settings: settings_model(),
        remembered: RwSignal::new(Remembered::default()),
    }
}

fn room_actions(model: RoomModel) -> RoomActions {
    let nothing = || Callback::new(|()| {});
    RoomActions {
        send_chat: Callback::new(move |(_, text): (_, String)| {
            let text = prepare(&text)?;
            let id = model.chat.with_untracked(Vec::len).to_string();
            model.chat.update(|lines| lines.push(said(&id, None, text, DeliveryState::Sending)));
            Ok(())
        }),
        raise_hand: Callback::new(move |is_raised: bool| model.local.hand.set(is_raised.then_some(1))),
        react: Callback::new(|_| {}),
        talk: Callback::new(move |is_talking| model.local.microphone.set(is_talking)),
        toggle_microphone: Callback::new(move |()| model.local.microphone.update(|is_on| *is_on = !*is_on)),
        toggle_camera: Callback::new(move |()| model.local.camera.update(|is_on| *is_on = !*is_on)),
        choose_source: Callback::new(move |source| model.source.set(source)),
        file: Callback::new(|_| {}),
        ask_again: nothing(),
        leave: nothing(),
        resume_playback: nothing(),
        playback_blocked: nothing(),
        dismiss: Callback::new(move |code| {
            model.notices.update(|codes| codes.retain(|other| *other != code));
        }),
        retry: nothing(),
        watch_figures: Callback::new(|_| {}),
        offer_files: Callback::new(|_| {}),
        cancel_backlog: nothing(),
        accept_file: Callback::new(|_| {}),
        accept_all_files: Callback::new(|_| {}),
        decline_all_files: Callback::new(|()| {}),
        decline_file: Callback::new(|_| {}),
        cancel_file: Callback::new(|_| {}),
        clear_files: Callback::new(|_| {}),
        save_files: Callback::new(|_| {}),
        pause_file: Callback::new(|_| {}),
        start_run: Callback::new(|()| {}),
        stop_run: Callback::new(|()| {}),
        judge_code: Callback::new(|_| {}),
        forget: Callback::new(|_| {}),
        host: Callback::new(|_| {}),
        refuse_run: Callback::new(|_| {}),
        export: Callback::new(|_| {}),
    }
}

fn other(number: usize) -> TileModel {
    let tile = tile(&format!("member-{number}"), NAMES[number % NAMES.len()], number);
    if number.is_multiple_of(3) {
        tile.camera.set(false);
        tile.quality.set(Some(Quality { bars: 4, cause: Cause::NoVideo }));
    }
    if number.is_multiple_of(2) {
        tile.microphone.set(false);
        tile.quality.set(Some(Quality { bars: 2, cause: Cause::Loss }));
    }
    tile
}

fn tile(member: &str, name: &str, number: usize) -> TileModel {
    TileModel {
        member: StoredValue::new(member.to_owned()),
        name: RwSignal::new(name.to_owned()),
        has_name: RwSignal::new(true),
        is_protected: true,
        verification: RwSignal::new(Verification::default()),
        acquaintance: RwSignal::new(Acquaintance::default()),
        state: RwSignal::new(LinkState::Connected),
        standing: RwSignal::new(Standing::Heard),
        path: RwSignal::new(Some(LinkPath::Direct)),
        pair: RwSignal::new(None),
        microphone: RwSignal::new(true),
        camera: RwSignal::new(true),
        source: RwSignal::new(PublishedSource::Camera),
        playback: RwSignal::new(None),
        failed_at_s: RwSignal::new(None),
        truth: RwSignal::new(None),
        round_trip_s: RwSignal::new(Some(0.034)),
        is_speaking: RwSignal::new(number == 1),
        hand: RwSignal::new(u32::try_from(number).ok().filter(|number| *number > 0 && number % 2 == 0)),
        reaction: RwSignal::new(None),
        reads_private: RwSignal::new(true),
        stream: RwSignal::new_local(Some(fake_stream(u32::try_from(number).unwrap_or(0) * 47).into())),
        is_mirrored: RwSignal::new(false),
        quality: RwSignal::new(Some(Quality { bars: 4, cause: Cause::Good })),
        seen_by: RwSignal::new(None),
        figures: RwSignal::new(figures()),
        frames: StoredValue::new_local(FrameWatch::default()),
        playout: RwSignal::new(None),
        history: RwSignal::new(History::default()),
        details: RwSignal::new(ConnectionDetails::default()),
    }
}

fn show_states(model: RoomModel) {
    let states = [LinkState::Connecting, LinkState::Recovering, LinkState::Away, LinkState::Failed];
    let causes = [Cause::NothingArrives, Cause::UploadFull, Cause::Freezes];
    model.others.with_untracked(|others| {
        for (tile, state) in others.iter().zip(states) {
            tile.state.set(state);
            if state == LinkState::Connecting {
                tile.stream.set(None);
                tile.quality.set(None);
            }
        }
        for (tile, (bars, cause)) in others.iter().skip(4).zip((0..).zip(causes)) {
            tile.quality.set(Some(Quality { bars, cause }));
        }
    });
    model.local.microphone.set(false);
    model.local.camera.set(false);
}

fn figures() -> Vec<Figure> {
    let value = |metric: Metric| match metric.unit() {
        Unit::BitsPerSecond => Some(FigureValue::Number(1_240_000.0)),
        Unit::Seconds => Some(FigureValue::Number(0.034)),
        Unit::Ratio => Some(FigureValue::Number(0.012)),
        Unit::FramesPerSecond => Some(FigureValue::Number(30.0)),
        Unit::Pixels => Some(FigureValue::Number(1280.0)),
        Unit::Bytes => Some(FigureValue::Number(18_400_000.0)),
        Unit::Count | Unit::PerMinute => Some(FigureValue::Number(0.0)),
        Unit::Word if metric == Metric::QualityLimitationReason => None,
        Unit::Word => Some(FigureValue::Word("VP8".to_owned())),
    };
    Metric::ALL.iter().map(|&metric| Figure { metric, value: value(metric) }).collect()
}

fn conversation() -> Vec<ChatLine> {
    let ada = || Some("Ada Lovelace".to_owned());
    vec![
        said("1", ada(), "Hi! Can everyone see the slides?".to_owned(), DeliveryState::Received),
        said(
            "2",
            None,
            "Yes.\nOne thing, though:\nthe second chart is blurred.".to_owned(),
            DeliveryState::Delivered,
        ),
        said(
            "3",
            ada(),
            "The numbers are at https://example.org/reports/2026/a-rather-long-address-that-has-to-wrap?x=1."
                .to_owned(),
            DeliveryState::Received,
        ),
        said(
            "4",
            Some("王小明".to_owned()),
            "我这边很清楚，声音也没问题。".to_owned(),
            DeliveryState::Received,
        ),
        said("5", Some(String::new()), "<script>alert(1)</script>".to_owned(), DeliveryState::Received),
        said("6", None, "Sent while nobody was there".to_owned(), DeliveryState::Unheard),
        said("7", None, "On its way".to_owned(), DeliveryState::Sending),
    ]
}

fn said(id: &str, author: Option<String>, text: String, state: DeliveryState) -> ChatLine {
    let number = MessageNumber(id.parse().unwrap_or_default());
    ChatLine {
        number,
        id: id.to_owned(),
        author,
        is_private: false,
        addressee: None,
        text,
        sent_at_ms: 1_795_246_920_000,
        state: ArcRwSignal::new(state),
    }
}

#[wasm_bindgen(inline_js = r#"
export function fake_stream(hue) {
  const canvas = document.createElement("canvas");
  canvas.width = 640;
  canvas.height = 360;
  const context = canvas.getContext("2d");
  const draw = () => {
    const gradient = context.createLinearGradient(0, 0, 640, 360);
    gradient.addColorStop(0, `hsl(${hue} 35% 62%)`);
    gradient.addColorStop(1, `hsl(${hue + 40} 40% 28%)`);
    context.fillStyle = gradient;
    context.fillRect(0, 0, 640, 360);
    context.fillStyle = "hsl(0 0% 0% / 25%)";
    context.beginPath();
    context.arc(320, 160, 70, 0, 7);
    context.ellipse(320, 370, 150, 130, 0, 0, 7);
    context.fill();
    context.fillStyle = "hsl(0 0% 100% / 50%)";
    context.fillText(new Date().toISOString(), 20, 20);
  };
  draw();
  setInterval(draw, 100);
  return canvas.captureStream(10);
}
"#)]
extern "C" {
    fn fake_stream(hue: u32) -> web_sys::MediaStream;
}
