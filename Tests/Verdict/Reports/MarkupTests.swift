import Testing

@testable import Verdict

@Suite struct MarkupTests {
    @Test func valuesAreEscapedAndMarkupIsNot() {
        let name = "<img src=x onerror=\"alert('&')\">"
        let inner: Markup = "<b>\(name)</b>"
        let outer: Markup = "<p title=\"\(name)\">\(inner)\([inner, inner])\(nil as Markup?)\(7)\(0.125)</p>"
        let escaped = "&lt;img src=x onerror=&quot;alert(&#39;&amp;&#39;)&quot;&gt;"
        #expect(
            outer.text == "<p title=\"\(escaped)\"><b>\(escaped)</b><b>\(escaped)</b><b>\(escaped)</b>70.13</p>")
    }

    @Test func whatXMLCannotHoldIsReplaced() {
        #expect(Markup.escaped("a\u{0}b\u{1B}[31m\u{85}\u{FFFF}\tc\n") == "a\u{FFFD}b\u{FFFD}[31m\u{FFFD}\u{FFFD}\tc\n")
        #expect(Markup.escaped("Ünï \u{1F600} e\u{301}") == "Ünï \u{1F600} e\u{301}")
        // A line feed after a carriage return is one character to Swift.
        #expect(Markup.escaped("a\r\n<") == "a\r\n&lt;")
    }

    @Test(arguments: [
        (0.0, "0"), (1, "1"), (-1.5, "-1.5"), (0.005, "0.01"), (2.994, "2.99"), (3.07, "3.07"), (-0.001, "0"),
        (.nan, "0"), (.infinity, "0"), (1e300, "0"), (1000, "1000"),
    ])
    func coordinates(value: Double, text: String) {
        #expect(Markup.coordinate(value) == text)
    }
}
