//! The actions of a room's controls.

use leptos::prelude::*;
use sightline_browser::js::queue::EventSink;
use sightline_core::chat;

use super::{
    departure::Departure,
    input::{Command, Input, TransferAction},
    media::LocalMedia,
    model::{RoomActions, RoomModel},
    signals,
};
use crate::navigation::leave_room;

/// Each action pushes into `inputs`, or acts on the devices at once. `left` is called when the person leaves.
pub(super) fn room_actions(
    model: RoomModel,
    inputs: EventSink<Input>,
    media: LocalMedia,
    left: Callback<()>,
) -> RoomActions {
    let inputs = StoredValue::new_local(inputs);
    let media = StoredValue::new_local(media);
    let push = move |command| {
        inputs.try_with_value(|inputs| inputs.push(Input::Command(command)));
    };
    let act_on_transfer = move |action| push(Command::Transfer(action));
    let on_media = move |act: fn(&LocalMedia)| {
        Callback::new(move |()| {
            media.try_with_value(act);
        })
    };
    RoomActions {
        send_chat: Callback::new(move |(to, text): (_, String)| {
            let verdict = chat::prepare(&text).map(drop);
            push(Command::SendChat(to, text));
            verdict
        }),
        raise_hand: Callback::new(move |is_raised| push(Command::RaiseHand(is_raised))),
        react: Callback::new(move |reaction| push(Command::React(reaction))),
        talk: Callback::new(move |is_talking| {
            media.try_with_value(|media| media.talk(is_talking));
        }),
        offer_files: Callback::new(move |(to, files)| act_on_transfer(TransferAction::Offer(to, files))),
        cancel_backlog: Callback::new(move |()| act_on_transfer(TransferAction::CancelBacklog)),
        accept_file: Callback::new(move |handle| act_on_transfer(TransferAction::Accept(handle))),
        accept_all_files: Callback::new(move |offered| act_on_transfer(TransferAction::AcceptAll(offered))),
        decline_all_files: Callback::new(move |()| act_on_transfer(TransferAction::DeclineAll)),
        decline_file: Callback::new(move |handle| act_on_transfer(TransferAction::Decline(handle))),
        cancel_file: Callback::new(move |handle| act_on_transfer(TransferAction::Cancel(handle))),
        clear_files: Callback::new(move |handles| act_on_transfer(TransferAction::Clear(handles))),
        save_files: Callback::new(move |handles| act_on_transfer(TransferAction::SaveAll(handles))),
        pause_file: Callback::new(move |(handle, is_paused)| {
            act_on_transfer(TransferAction::Pause(handle, is_paused));
        }),
        toggle_microphone: on_media(LocalMedia::toggle_microphone),
        toggle_camera: on_media(LocalMedia::toggle_camera),
        choose_source: Callback::new(move |source| {
            media.try_with_value(|media| media.want_source(source));
        }),
        file: Callback::new(move |command| {
            media.try_with_value(|media| media.handle_file(command));
        }),
        ask_again: on_media(LocalMedia::ask_again),
        leave: Callback::new(move |()| {
            leave_room();
            Departure::of(model).keep();
            // Before the devices are released: what they publish then is nobody's any more.
            push(Command::Leave);
            left.run(());
        }),
        resume_playback: Callback::new(move |()| model.needs_gesture.set(false)),
        playback_blocked: Callback::new(move |()| model.needs_gesture.set(true)),
        dismiss: Callback::new(move |code| signals::remove(model.notices, &code)),
        retry: Callback::new(move |()| push(Command::Retry)),
        watch_figures: Callback::new(move |wanted| push(Command::WatchFigures(wanted))),
        start_run: Callback::new(move |()| push(Command::StartRun)),
        stop_run: Callback::new(move |()| push(Command::StopRun)),
        judge_code: Callback::new(move |judgment| push(Command::JudgeCode(judgment))),
        forget: Callback::new(move |person| push(Command::Forget(person))),
        host: Callback::new(move |action| push(Command::Host(action))),
        refuse_run: Callback::new(move |member| push(Command::RefuseRun(member))),
        export: Callback::new(move |export| {
            model.is_report_saved.set(true);
            push(Command::Export(export));
        }),
    }
}
