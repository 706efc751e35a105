//! Shows content while a condition holds.

use leptos::prelude::*;

/// Like `leptos::prelude::Show`, but with one piece of code for all conditions and contents.
#[component]
pub fn When(
    /// Whether the content is shown.
    #[prop(into)]
    is: Signal<bool>,
    children: ChildrenFn,
) -> AnyView {
    let is = Memo::new(move |_| is.get());
    (move || is.get().then(|| children())).into_any()
}
