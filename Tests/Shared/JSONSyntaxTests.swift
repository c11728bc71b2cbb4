import Foundation
import TestSupport
import Testing

@testable import Shared

struct JSONSyntaxTests {
    @Test(arguments: [
        "{}", "[]", "null", "true", "false", "0", "-0", "1.5e+3", "1E-2", "\"\"", " \t\r\n1 ", "[1, 2 ,3]",
        #"{"a":{"b":[{}]},"b":{"a":1}}"#, #"[{"a":1},{"a":2}]"#, #""\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00""#,
        "\"é💶\u{7F}\"", "[ ]", "{ }",
    ])
    func isJSON(text: String) { #expect(JSONSyntax.isValid(text.utf8)) }

    @Test(arguments: [
        "", " ", "{", "}", "[", "[1", "[1,]", "[,1]", "[1 2]", "{\"a\":1,}", "{\"a\"}", "{\"a\":}", "{a:1}", "{,}",
        "{\"a\" 1}", "{1:2}", "01", "-", "+1", ".5", "1.", "1e", "1e+", "0x10", "NaN", "Infinity", "-Infinity", "tru",
        "truee", "nul", "True", "'a'", "\"a", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\n\"", "\"\t\"",
        "1 2",
        #"{"a":1,"a":1}"#, #"{"a":1,"b":{},"\u0061":2}"#,
        "{} {}", "\u{FEFF}{}", "1\u{0}", "\u{A0}1", "// a\n1", "[1]]", "\"\\u", "\"\\",
    ])
    func isNotJSON(text: String) { #expect(!JSONSyntax.isValid(text.utf8)) }

    @Test func bytesMustBeUTF8() {
        #expect(!JSONSyntax.isValid([0x22, 0xFF, 0x22]))
        #expect(!JSONSyntax.isValid([0x22, 0xED, 0xA0, 0x80, 0x22]))
        #expect(!JSONSyntax.isValid([0x7B, 0x00, 0x7D, 0x00]), "UTF-16")
    }

    @Test func depthIsLimited() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(JSONSyntax.isValid(nested(JSONSyntax.maxDepth).utf8))
        #expect(!JSONSyntax.isValid(nested(JSONSyntax.maxDepth + 1).utf8))
        #expect(!JSONSyntax.isValid(nested(32_000).utf8))
        #expect(!JSONSyntax.isValid(String(repeating: "{\"a\":", count: 10_000).utf8))
    }

    /// Whatever the strict check lets through, the decoder can read: damaged documents never become 500.
    @Test func whatPassesCanBeDecoded() {
        var generator = SeededGenerator(seed: 8)
        let document = Array(#"{"amount":19.99,"ids":[1,-2.5e3,"x\u00e9"],"note":null,"ok":true}"#.utf8)
        let alphabet = Array(#"{}[]",:\ 0159-+.eEtfnu/"#.utf8)
        var passed = 0
        for _ in 0..<20_000 {
            var bytes = document
            for _ in 0..<Int.random(in: 1...2, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                if Bool.random(using: &generator) {
                    bytes[index] = alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
                } else {
                    bytes.remove(at: index)
                }
            }
            guard JSONSyntax.isValid(bytes) else { continue }
            passed += 1
            #expect(throws: Never.self, "\(String(decoding: bytes, as: UTF8.self))") {
                try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
            }
        }
        #expect(passed > 100)
    }
}
