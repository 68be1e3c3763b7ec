//! Taking the terminal and giving it back: one idempotent `restore`, used by the normal end, by
//! errors, by every signal and by the panic hook of every thread.

use std::io::{self, BufWriter, Stdout, StdoutLock, Write};
use std::mem::ManuallyDrop;
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::execute;
use crossterm::style::ResetColor;
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions};

use crate::app::{App, Viewport};
use crate::ui;

static TAKEN: AtomicBool = AtomicBool::new(false);
static ALTERNATE: AtomicBool = AtomicBool::new(false);

/// Gives the terminal back as it was. Does nothing when it was not taken.
pub(crate) fn restore() {
    restore_through(&mut io::stdout().lock());
}

fn restore_through(out: &mut StdoutLock<'_>) {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(out, EndSynchronizedUpdate, DisableBracketedPaste, ResetColor);
        if ALTERNATE.load(Ordering::SeqCst) {
            let _ = execute!(out, LeaveAlternateScreen);
        } else {
            let _ = out.write_all(b"\r\n");
        }
        let _ = execute!(out, Show);
        let _ = disable_raw_mode();
    }
}

/// Rings the bell, where the terminal is ours.
///
/// # Errors
/// It is gone.
pub(crate) fn ring() -> io::Result<()> {
    let mut out = io::stdout().lock();
    if TAKEN.load(Ordering::SeqCst) {
        out.write_all(b"\x07")?;
        out.flush()?;
    }
    Ok(())
}

/// Gives the terminal back and ends the program, from any thread: nobody draws over it meanwhile,
/// because standard output stays locked to the end.
pub(crate) fn end(status: i32, last_words: impl FnOnce()) -> ! {
    let mut out = io::stdout().lock();
    restore_through(&mut out);
    last_words();
    std::process::exit(status)
}

/// From now on a panic in any thread first gives the terminal back, then ends the program.
pub(crate) fn hook_panics() {
    let plain = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        end(101, || {
            plain(panic);
            let _ = writeln!(
                io::stderr(),
                "doomtop: this is a bug in doomtop; the terminal was restored, nothing was signalled"
            );
        })
    }));
}

/// Panics on purpose where a test asks for it (`DOOMTOP_TEST_PANIC=main` or a thread's name).
pub(crate) fn test_panic(place: &str) {
    if std::env::var("DOOMTOP_TEST_PANIC").is_ok_and(|wanted| wanted == place) {
        panic!("asked for by DOOMTOP_TEST_PANIC={place}");
    }
}

/// The terminal, taken.
pub(crate) struct TerminalScreen {
    /// Never dropped: ratatui would complain to a terminal that may be gone.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<BufWriter<Stdout>>>>,
    alternate: bool,
    area: Rect,
}

/// The size of the terminal, asked of the descriptor that is open already.
fn size() -> io::Result<Rect> {
    let size = rustix::termios::tcgetwinsize(io::stdout())?;
    // A serial line may not know its size.
    let (width, height) =
        if size.ws_col == 0 || size.ws_row == 0 { (80, 24) } else { (size.ws_col, size.ws_row) };
    Ok(Rect::new(0, 0, width, height))
}

impl TerminalScreen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// It is none, or is gone.
    pub(crate) fn take(alternate: bool) -> io::Result<Self> {
        let out = BufWriter::with_capacity(1 << 16, io::stdout());
        // A fixed viewport: ratatui would otherwise open /dev/tty before every picture to ask for
        // the size, and opening a file is what stalls when memory is gone.
        let options = TerminalOptions { viewport: ratatui::Viewport::Fixed(size()?) };
        let terminal = Terminal::with_options(CrosstermBackend::new(out), options)?;
        let mut screen =
            Self { terminal: ManuallyDrop::new(terminal), alternate, area: Rect::default() };
        screen.enter()?;
        Ok(screen)
    }

    /// Takes it again, after a stop.
    ///
    /// # Errors
    /// It is gone.
    pub(crate) fn enter(&mut self) -> io::Result<()> {
        ALTERNATE.store(self.alternate, Ordering::SeqCst);
        TAKEN.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        let mut out = io::stdout();
        if self.alternate {
            execute!(out, EnterAlternateScreen)?;
        }
        execute!(out, Hide, EnableBracketedPaste)?;
        self.clear()
    }

    /// Everything is drawn anew next time.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        let area = size()?;
        // Resizing clears, without asking the terminal where its cursor is.
        self.terminal.resize(area)?;
        self.area = area;
        Ok(())
    }

    /// Draws one picture.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn draw(&mut self, app: &App, sample: &ui::Theme) -> io::Result<Viewport> {
        let mut viewport = Viewport::default();
        if size()? != self.area {
            self.clear()?;
        }
        execute!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(|frame| viewport = ui::draw(app, sample, frame))?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)?;
        Ok(viewport)
    }

    /// The picture as lines of text, for leaving it on the terminal.
    pub(crate) fn picture(&mut self, app: &App, sample: &ui::Theme) -> Vec<String> {
        let area = Rect { height: self.area.height.saturating_sub(1), ..self.area };
        let mut buffer = Buffer::empty(area);
        ui::paint(app, sample, area, &mut buffer);
        let line = |y: u16| {
            let cells = (0..area.width).map(|x| buffer[(x, y)].symbol());
            cells.collect::<String>().trim_end().to_owned()
        };
        (0..area.height).map(line).collect()
    }
}

impl Drop for TerminalScreen {
    fn drop(&mut self) {
        restore();
    }
}
