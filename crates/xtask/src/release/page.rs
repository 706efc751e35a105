//! `index.html` as it is shipped, and the files that it names.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};

use super::{copy_dir, place, worker::Worker};
use crate::{tools::ClientTools, workspace};

/// What trunk puts there; what it would do with it is done here.
const TRUNK_LINK: &str = "<link data-trunk";

/// Writes `index.html` and everything it refers to beside the script and the modules, of which the first is needed at once.
///
/// # Errors
/// Where the page asks for something that trunk knows and this does not.
pub(super) fn assemble(
    tools: &ClientTools,
    work: &Path,
    dist: &Path,
    script: &str,
    modules: &[(String, String)],
) -> Result<()> {
    let page = workspace::root().join("index.html");
    let html = without_comments(&fs::read_to_string(&page).context("cannot read index.html")?);
    // An element may stand on several lines.
    let html = html
        .replace("<link\n", "<link ")
        .split("<link ")
        .map(str::trim_start)
        .collect::<Vec<_>>()
        .join("<link ");
    let mut styles = String::new();
    let mut links = Vec::new();
    let mut rest = String::with_capacity(html.len());
    let mut remaining = html.as_str();
    while let Some(start) = remaining.find(TRUNK_LINK) {
        let end = start + remaining[start..].find('>').context("index.html: a <link> has no end")? + 1;
        let link = Link::parse(&remaining[start..end]);
        rest.push_str(&remaining[..start]);
        remaining = &remaining[end..];
        match link.attribute("rel").as_deref() {
            Some("css") => {
                styles.push_str(&fs::read_to_string(workspace::root().join(link.href()?))?);
            }
            Some("icon") => {
                let name = link.place(dist)?;
                let kind = link.attribute("type").unwrap_or_default();
                links.push(format!("<link rel=\"icon\" type=\"{kind}\" href=\"/{name}\">"));
            }
            Some("copy-file") => {
                let from = workspace::root().join(link.href()?);
                fs::copy(&from, dist.join(from.file_name().unwrap_or_default()))?;
            }
            Some("copy-dir") => {
                let from = workspace::root().join(link.href()?);
                copy_dir(&from, &dist.join(from.file_name().unwrap_or_default()))?;
            }
            Some("rust") if link.attribute("data-type").as_deref() == Some("worker") => {
                link.worker()?.build(tools, work, dist)?;
            }
            Some("rust") => {}
            other => bail!("index.html: <link data-trunk rel={other:?}> is not known to `cargo xtask build`"),
        }
    }
    rest.push_str(remaining);
    let styles = place(dist, "sightline", "css", tools.minify(&styles, "css")?.as_bytes())?;
    let (_, main) = modules.first().context("no main module")?;
    links.push(format!("<link rel=\"stylesheet\" href=\"/{styles}\">"));
    links.push(format!(
        "<link rel=\"preload\" href=\"/{main}\" as=\"fetch\" type=\"application/wasm\" crossorigin>"
    ));
    links.push(format!("<script type=\"module\" src=\"/{script}\"></script>"));
    let html = rest
        .replace("<base data-trunk-public-url />", "<base href=\"/\">")
        .replace("</head>", &format!("{}</head>", links.concat()));
    let html = html.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    fs::write(dist.join("index.html"), html).context("cannot write index.html")
}

/// A `<link data-trunk ...>`.
struct Link<'a>(&'a str);

impl<'a> Link<'a> {
    fn parse(element: &'a str) -> Self {
        Self(element)
    }

    fn attribute(&self, name: &str) -> Option<String> {
        let (_, after) = self.0.split_once(&format!("{name}=\""))?;
        after.split('"').next().map(str::to_owned)
    }

    fn href(&self) -> Result<String> {
        self.attribute("href").with_context(|| format!("index.html: {} has no href", self.0))
    }

    fn worker(&self) -> Result<Worker> {
        let bin = self.attribute("data-bin").context("index.html: a worker has no data-bin")?;
        let optimisation = self.attribute("data-wasm-opt").unwrap_or_else(|| "z".to_owned());
        Ok(Worker { manifest: self.href()?, bin, optimisation })
    }

    /// Writes the file that it names; the name that it has now.
    fn place(&self, dist: &Path) -> Result<String> {
        let href = self.href()?;
        let file = Path::new(&href);
        let part = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let content =
            fs::read(workspace::root().join(file)).with_context(|| format!("index.html names {href}"))?;
        place(dist, &part(file.file_stem()), &part(file.extension()), &content)
    }
}

fn without_comments(html: &str) -> String {
    let mut rest = html;
    let mut kept = String::with_capacity(html.len());
    while let Some((before, comment)) = rest.split_once("<!--") {
        kept.push_str(before);
        rest = comment.split_once("-->").map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept
}
