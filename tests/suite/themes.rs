//! The themes: readable, told apart without red and green cones, and what they look like.

use std::fs;
use std::path::Path;

use doomtop::app::Msg;
use doomtop::app::setup::ThemeName;
use doomtop::app::view::kind::ViewKind;
use doomtop::forecast::series::Severity;
use doomtop::ui::{ColourDepth, Theme};
use palette::color_difference::{Ciede2000, Wcag21RelativeContrast};
use palette::{IntoColor, Lab, LinSrgb, Srgb};
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

use crate::demo::app_before;
use crate::fixtures::{app, paint, press};
use crate::screens::styled;
use crate::svg;

const DEPTHS: [ColourDepth; 3] = [ColourDepth::Ansi, ColourDepth::Indexed, ColourDepth::True];
const COLOURED: [ThemeName; 5] = [
    ThemeName::Default,
    ThemeName::Dark,
    ThemeName::Light,
    ThemeName::Colourblind,
    ThemeName::ColourblindLight,
];

/// The 16 colours of xterm (`XTerm-col.ad`).
const XTERM: [u32; 16] = [
    0x00_00_00, 0xcd_00_00, 0x00_cd_00, 0xcd_cd_00, 0x00_00_ee, 0xcd_00_cd, 0x00_cd_cd, 0xe5_e5_e5,
    0x7f_7f_7f, 0xff_00_00, 0x00_ff_00, 0xff_ff_00, 0x5c_5c_ff, 0xff_00_ff, 0x00_ff_ff, 0xff_ff_ff,
];

/// The background that a theme is for, and its text.
fn ground(name: ThemeName) -> svg::Screen {
    match name {
        ThemeName::Light | ThemeName::ColourblindLight => {
            svg::Screen::new(0xff_ff_ff, 0x00_00_00, XTERM)
        }
        _ => svg::Screen::new(0x00_00_00, 0xe5_e5_e5, XTERM),
    }
}

fn srgb(hex: u32) -> Srgb<f64> {
    let [_, red, green, blue] = hex.to_be_bytes();
    Srgb::new(red, green, blue).into_format()
}

/// Text and ground of a style on a terminal, with what dim and reversed do to them. Dim is two thirds of
/// the way from the ground to the text, as in VTE, xterm and Alacritty.
fn inks(style: Style, screen: &svg::Screen) -> (Srgb<f64>, Srgb<f64>) {
    let shown = |colour: Option<Color>| colour.and_then(|it| screen.colour(it));
    let mut text = srgb(shown(style.fg).unwrap_or(screen.fore));
    let mut ground = srgb(shown(style.bg).unwrap_or(screen.back));
    if style.add_modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut text, &mut ground);
    }
    if style.add_modifier.contains(Modifier::DIM) {
        text = ground + (text - ground) * (2.0 / 3.0);
    }
    (text, ground)
}

fn contrast(style: Style, screen: &svg::Screen) -> f64 {
    let (text, ground) = inks(style, screen);
    text.relative_contrast(ground)
}

/// Texts over the background.
fn texts(theme: Theme) -> [(&'static str, Style); 7] {
    [
        ("danger", theme.danger()),
        ("warn", theme.warn()),
        ("good", theme.good()),
        ("dim", theme.dim()),
        ("label", theme.label()),
        ("tag", theme.tag()),
        ("victim", theme.victim()),
    ]
}

/// WCAG 2.1, success criterion 1.4.3, level AA: 4.5 for text; 1.4.11: 3 for what is no text.
#[test]
fn every_role_is_readable_in_every_theme_and_depth() {
    let mut low = Vec::new();
    for name in COLOURED {
        let screen = ground(name);
        for depth in DEPTHS {
            let theme = Theme::new(name, depth, true);
            let mut check = |role: &str, style: Style, least: f64| {
                let found = contrast(style, &screen);
                if found < least {
                    low.push(format!("{name:?} {depth:?} {role}: {found:.2} < {least}"));
                }
            };
            for (role, style) in texts(theme) {
                check(role, style, 4.5);
                check(&format!("{role} under the cursor"), style.patch(theme.selected()), 4.5);
            }
            check("plain under the cursor", theme.selected(), 4.5);
            check("head", theme.head(), 4.5);
            check("sorted head", theme.sorted_head(), 4.5);
            check("key", theme.key(), 4.5);
            check("key label", theme.key_label(), 4.5);
            check("frame", theme.frame(), 3.0);
            check("flash", theme.flash(), 4.5);
            check("victim under the cursor", theme.victim().patch(theme.victim_cursor()), 4.5);
            check("banner", theme.banner(), 4.5);
            for severity in [Severity::Neutral, Severity::Calm, Severity::Care, Severity::Bad] {
                check(&format!("frame {severity:?}"), theme.headline_frame(severity), 3.0);
            }
            for (part, style) in ["memory", "swap", "adj"].into_iter().zip(theme.bar_parts()) {
                check(&format!("bar {part}"), style, 3.0);
                // In the row under the cursor it is over the ground of that row, unless that has a colour of text.
                for (row, ground) in
                    [("cursor", theme.selected()), ("victim under it", theme.victim_cursor())]
                {
                    if ground.fg.is_none() {
                        let least = 3.0;
                        check(
                            &format!("bar {part} in the row of the {row}"),
                            ground.patch(style),
                            least,
                        );
                    }
                }
            }
            for (part, style) in ["memory", "swap", "adj"].into_iter().zip(theme.bar_legend()) {
                check(&format!("legend {part}"), style, 4.5);
            }
        }
    }
    assert!(low.is_empty(), "contrast too low:\n{}", low.join("\n"));
}

/// How a colour is seen: G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, "A Physiologically-based Model
/// for Simulation of Color Vision Deficiency" (2009), severity 1.0, over linear RGB.
const VISIONS: [(&str, [[f64; 3]; 3]); 3] = [
    ("all cones", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    (
        "protanopia",
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
    ),
    (
        "deuteranopia",
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
    ),
];

fn seen(colour: Srgb<f64>, vision: &[[f64; 3]; 3]) -> Lab<palette::white_point::D65, f64> {
    let linear: LinSrgb<f64> = colour.into_linear();
    let of = |row: [f64; 3]| {
        (row[0] * linear.red + row[1] * linear.green + row[2] * linear.blue).clamp(0.0, 1.0)
    };
    LinSrgb::new(of(vision[0]), of(vision[1]), of(vision[2])).into_color()
}

/// The least distance (CIEDE2000) between two severities, however they are seen, and which.
fn closest_severities(theme: Theme, screen: &svg::Screen) -> (f64, String) {
    let severities = [
        ("neutral", theme.label()),
        ("calm", theme.good()),
        ("care", theme.warn()),
        ("bad", theme.danger()),
    ];
    let mut least = (f64::INFINITY, String::new());
    for (vision, matrix) in &VISIONS {
        for (nth, (one, style)) in severities.iter().enumerate() {
            for (other, other_style) in &severities[nth + 1..] {
                let [a, b] = [style, other_style].map(|it| seen(inks(*it, screen).0, matrix));
                let distance = a.difference(b);
                if distance < least.0 {
                    least = (distance, format!("{one} and {other} with {vision}"));
                }
            }
        }
    }
    least
}

#[test]
fn no_two_severities_look_alike_to_the_colour_blind() {
    // 2.3 is a just noticeable difference; below about 10 a small text is mistaken at a glance.
    for (name, depth, stated) in [
        (ThemeName::Colourblind, ColourDepth::Ansi, 14.0),
        (ThemeName::Colourblind, ColourDepth::Indexed, 20.0),
        (ThemeName::Colourblind, ColourDepth::True, 22.0),
        // A white ground leaves only dark colours, which are nearer to each other.
        (ThemeName::ColourblindLight, ColourDepth::Indexed, 20.0),
        (ThemeName::ColourblindLight, ColourDepth::True, 17.0),
    ] {
        let theme = Theme::new(name, depth, true);
        let (least, which) = closest_severities(theme, &ground(name));
        assert!(least >= stated, "{name:?} {depth:?}: {which} are {least:.1} apart, not {stated}");
    }
    // The measure tells bad from good: green and yellow of the 16 colours are nearly one colour.
    let default = Theme::new(ThemeName::Default, ColourDepth::Ansi, true);
    let (least, which) = closest_severities(default, &ground(ThemeName::Default));
    assert!(least < 10.0, "{which}: {least:.1}");
}

#[test]
fn mono_has_no_colour_and_24_bits_are_used_only_where_the_terminal_has_them() {
    let styles = |theme: Theme| {
        let mut all: Vec<Style> = texts(theme).into_iter().map(|(_, style)| style).collect();
        all.extend(theme.bar_parts());
        all.extend([theme.head(), theme.sorted_head(), theme.key(), theme.key_label()]);
        all.push(theme.selected());
        all.extend([theme.victim_cursor(), theme.banner(), theme.killed(), theme.frame()]);
        all.into_iter().flat_map(|style| [style.fg, style.bg]).flatten().collect::<Vec<Color>>()
    };
    for name in ThemeName::ALL {
        assert!(styles(Theme::new(name, ColourDepth::Mono, true)).is_empty(), "{name:?}");
        for depth in DEPTHS {
            for colour in styles(Theme::new(name, depth, true)) {
                let fits = match colour {
                    Color::Rgb(..) => depth == ColourDepth::True,
                    // The first 16 depend on the terminal's settings.
                    Color::Indexed(nth) => depth == ColourDepth::Indexed && nth >= 16,
                    _ => depth == ColourDepth::Ansi || name == ThemeName::Default,
                };
                assert!(fits, "{name:?} {depth:?}: {colour:?}");
            }
        }
    }
    for depth in DEPTHS {
        assert!(styles(Theme::new(ThemeName::Mono, depth, true)).is_empty());
    }
}

#[test]
fn a_theme_is_chosen_while_it_runs() {
    let mut app = app("db-03.jsonl");
    assert_eq!(app.display.theme, ThemeName::Default);
    press(&mut app, &["Alt-t", "Down", "Down", "Enter"]);
    assert_eq!(app.display.theme, ThemeName::Light);
    press(&mut app, &["Alt-t", "Down", "Esc"]);
    assert_eq!(app.display.theme, ThemeName::Light, "Esc changes nothing");
}

#[test]
fn screens_in_each_theme_are_as_they_were() {
    for name in ThemeName::ALL {
        let theme = Theme::new(name, ColourDepth::True, true);
        let (buffer, _) = paint(&mut app("db-03.jsonl"), theme, 80, 24);
        insta::assert_snapshot!(format!("theme-{}", name.name()), styled(&buffer));
    }
}

/// Every view of the demo, a moment before its second kill, and the sacrifice dialog.
#[test]
fn the_contact_sheet_shows_every_view_in_every_theme() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots/themes.svg");
    let (width, height) = (100, 30);
    let scale = 0.5;
    // All of one theme stand in one column.
    let mut columns = [const { String::new() }; ThemeName::ALL.len()];
    let mut sheet = (0.0_f32, 0.0_f32);
    let mut app = app_before(1, 5);
    for view in ViewKind::ALL.into_iter().map(Some).chain([None]) {
        if let Some(kind) = view {
            app.views.kind = kind;
            app.update(Msg::Tick(app.clock()));
        } else {
            app.views.kind = ViewKind::default();
            press(&mut app, &["X"]);
        }
        let (mut x, mut below) = (0.0, 0.0);
        for (name, cells) in ThemeName::ALL.into_iter().zip(&mut columns) {
            let theme = Theme::new(name, ColourDepth::True, true);
            let screen = match name {
                ThemeName::Light | ThemeName::ColourblindLight => &svg::LIGHT,
                _ => &svg::DARK,
            };
            paint(&mut app, theme, width, height);
            let (buffer, _): (Buffer, _) = paint(&mut app, theme, width, height);
            let size = svg::size(&buffer);
            cells.push_str(&format!(
                "<g transform=\"translate({x:.1} {:.1}) scale({scale})\">\n",
                sheet.1
            ));
            svg::draw(&buffer, screen, cells);
            cells.push_str("</g>\n");
            x += size.0 * scale + 8.0;
            below = size.1 * scale + 8.0;
        }
        sheet = (x, sheet.1 + below);
    }
    let cells = columns.concat();
    let picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0}\" height=\"{1:.0}\" viewBox=\"0 0 {0:.0} \
         {1:.0}\" font-family=\"'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"14\" \
         xml:space=\"preserve\">\n{cells}</svg>\n",
        sheet.0, sheet.1
    );
    if std::env::var_os("DOOMTOP_BLESS").is_some() {
        fs::write(&file, &picture).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == picture, "themes.svg is not today's screens: DOOMTOP_BLESS=1 cargo test");
}
