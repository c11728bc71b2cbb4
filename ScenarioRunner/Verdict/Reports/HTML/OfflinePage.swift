import Crypto
import Foundation

/// A whole HTML document in one file that asks nothing of any network: its style and its script stand in it, and its
/// policy lets a browser use these two, known by their SHA-256, and nothing else. A value that found its way into the
/// page as markup could still neither run nor call home.
struct OfflinePage: Sendable {
    let title: String
    let body: Markup

    private static let style = ReportStyle.text
    private static let script = ReportScript.text

    /// Content-Security-Policy, level 3.
    static let policy =
        "default-src 'none'; style-src '\(hash(style))'; script-src '\(hash(script))'; base-uri 'none'; form-action 'none'"

    private static func hash(_ text: String) -> String {
        "sha256-" + Data(SHA256.hash(data: Data(text.utf8))).base64EncodedString()
    }

    var html: String {
        let page: Markup = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="\(Markup(trusted: Self.policy))">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="referrer" content="no-referrer">
            <title>\(title)</title>
            <style>\(Markup(trusted: Self.style))</style>
            </head>
            <body>
            \(body)
            <script>\(Markup(trusted: Self.script))</script>
            </body>
            </html>

            """
        return page.text
    }
}
