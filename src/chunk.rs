//! Split modules: parts of the page in separate WebAssembly modules, loaded when they are needed, or earlier when the page is
//! idle.
//!
//! A part declares its entry with [`chunk!`](crate::chunk!) and is shown by [`Later`](crate::components::later::Later). Code that
//! only the entries of one chunk reach is in that chunk's module; everything else stays in the main module. Without the feature
//! `split` (debug builds, `trunk serve`) an entry is a plain call.

use std::{future::Future, pin::Pin, rc::Rc};

use leptos::prelude::*;

/// The split module did not load: the network is down, or the server has another version now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a part of the page could not be loaded")]
pub struct ChunkLost;

/// A view whose module is loaded first.
pub type LoadingView = Pin<Box<dyn Future<Output = Result<AnyView, ChunkLost>>>>;

/// Requests a view; after a failure it may be called again.
pub type LoadView = Rc<dyn Fn() -> LoadingView>;

/// A module that is being loaded.
pub type Loading = Pin<Box<dyn Future<Output = Result<(), ChunkLost>>>>;

/// Declares a function in a split module: a call loads the module first, so the function is `async` and returns a `Result` with
/// [`ChunkLost`]. The second name is a function that only loads the module. Functions with the same chunk name are in one module.
///
/// ```ignore
/// in_chunk! {
///     fn texts, load_texts in chinese() -> &'static str {
///         include_str!("chinese.txt")
///     }
/// }
/// ```
#[macro_export]
macro_rules! in_chunk {
    (
        $(#[$meta:meta])*
        $visibility:vis fn $name:ident, $load:ident in $chunk:ident ($($argument:ident: $type:ty),* $(,)?) -> $output:ty $body:block
    ) => {
        #[cfg(feature = "split")]
        $(#[$meta])*
        #[allow(unsafe_code, reason = "a call from one WebAssembly module into another")]
        #[wasm_split_helpers::wasm_split($chunk, fallible, preload(
            #[allow(unsafe_code, missing_docs, dead_code, reason = "as the call; not every chunk is loaded ahead")]
            $load
        ))]
        $visibility fn $name($($argument: $type),*) -> Result<$output, $crate::chunk::ChunkLost> {
            Ok($body)
        }

        #[cfg(not(feature = "split"))]
        $(#[$meta])*
        #[allow(clippy::unused_async, reason = "it loads where it is split off")]
        $visibility async fn $name($($argument: $type),*) -> Result<$output, $crate::chunk::ChunkLost> {
            Ok($body)
        }

        #[cfg(not(feature = "split"))]
        #[allow(clippy::unused_async, missing_docs, dead_code, reason = "as the other")]
        $visibility async fn $load() -> Result<(), $crate::chunk::ChunkLost> {
            Ok(())
        }
    };
}

/// Declares the entry of a part of the page: a function in a split module that builds a view from arguments that are `Clone` and
/// `'static`. The macro makes a function that returns a [`LoadView`], and one that loads the module ahead of time.
///
/// ```ignore
/// chunk! { /// The report, loaded on demand. pub fn load_report_page, preload_report_page in pages(run: Run) {
/// view! { <ReportPage run=run /> }.into_any() } }
///
/// view! { <Later view=load_report_page(run) /> }
/// ```
#[macro_export]
macro_rules! chunk {
    (
        $(#[$doc:meta])*
        $visibility:vis fn $name:ident, $preload:ident in $chunk:ident ($($argument:ident: $type:ty),* $(,)?) $body:block
    ) => {
        $(#[$doc])*
        $visibility fn $name($($argument: $type),*) -> $crate::chunk::LoadView {
            ::std::rc::Rc::new(move || ::std::boxed::Box::pin($chunk::$name($($argument.clone()),*)))
        }

        /// Loads the module ahead of time. If that fails, the module is loaded when it is needed.
        #[allow(dead_code, reason = "not every part is loaded ahead")]
        $visibility fn $preload() -> $crate::chunk::Loading {
            ::std::boxed::Box::pin(async {
                if $chunk::$preload().await.is_ok() { Ok(()) } else { Err($crate::chunk::ChunkLost) }
            })
        }

        mod $chunk {
            #[allow(unused_imports, reason = "what the types of the arguments need")]
            use super::*;

            $crate::in_chunk! {
                pub(super) fn $name, $preload in $chunk($($argument: $type),*) -> leptos::prelude::AnyView $body
            }
        }
    };
}

#[cfg(feature = "split")]
impl From<wasm_split_helpers::SplitLoaderError> for ChunkLost {
    fn from(_: wasm_split_helpers::SplitLoaderError) -> Self {
        Self
    }
}
