//! The ratios as a picture.

use std::fmt::Write as _;

/// One ratio to the call written by hand.
pub(crate) struct Bar {
    pub(crate) title: String,
    pub(crate) ratio: f64,
}

/// Bars beside a line at 1.0, which is the call by hand.
pub(crate) fn svg(bars: &[Bar]) -> String {
    const ROW: usize = 30;
    const LEFT: f64 = 400.0;
    const UNIT: f64 = 260.0;
    let height = 60 + bars.len() * ROW;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"800\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"16\" y=\"24\" font-size=\"15\">truefoundry-secrets beside the same calls by hand \
         with reqwest (1.0; less is better)</text>\n"
    );
    for (row, bar) in bars.iter().enumerate() {
        let y = 44 + row * ROW;
        let width = bar.ratio.min(1.4) * UNIT;
        let fill = if bar.ratio <= 1.0 { "#2a7f62" } else { "#c0563b" };
        let _ = writeln!(
            out,
            "<text x=\"{:.0}\" y=\"{}\" text-anchor=\"end\">{}</text>\
             <rect x=\"{LEFT}\" y=\"{y}\" width=\"{width:.0}\" height=\"18\" fill=\"{fill}\"/>\
             <text x=\"{:.0}\" y=\"{}\">{:.2}</text>",
            LEFT - 8.0,
            y + 14,
            bar.title,
            LEFT + width + 6.0,
            y + 14,
            bar.ratio
        );
    }
    let line = LEFT + UNIT;
    let _ = writeln!(
        out,
        "<line x1=\"{line}\" x2=\"{line}\" y1=\"36\" y2=\"{}\" stroke=\"#444\" \
         stroke-dasharray=\"4 3\"/>\n</svg>",
        height - 10
    );
    out
}
