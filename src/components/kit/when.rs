//! Shows something while a condition holds.

use leptos::prelude::*;

/// As `leptos::prelude::Show`, but one piece of code for every condition and all content.
#[component]
pub fn When(
    /// The condition.
    #[prop(into)]
    is: Signal<bool>,
    children: ChildrenFn,
) -> AnyView {
    let is = Memo::new(move |_| is.get());
    (move || is.get().then(|| children())).into_any()
}
