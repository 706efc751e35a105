//! Says that this browser has a token to open rooms on this server, and forgets the token on request.

use leptos::prelude::*;

use crate::{chunk, components::kit::when::When, create_token, language::Language, sentence};

chunk! {
    /// [`CreateTokenLine`], loaded on demand: few browsers have a token.
    pub fn load_create_token_line, preload_create_token_line in room() {
        view! { <CreateTokenLine /> }.into_any()
    }
}

/// The sentence, and a button that forgets the token.
#[component]
fn CreateTokenLine() -> AnyView {
    let language = Language::from_context();
    let is_kept = RwSignal::new(true);
    let forget = move |_| {
        create_token::forget();
        is_kept.set(false);
    };
    view! {
        <When is=is_kept>
            <p class="home-permission" data-testid="create-token">
                {language.text(sentence!(home.create_token))}
                <button type="button" class="button small" data-testid="create-token-forget" on:click=forget>
                    {language.text(sentence!(home.create_token_forget))}
                </button>
            </p>
        </When>
    }
    .into_any()
}
