import Foundation
import Shared
import TestSupport
import Testing

@Suite("Card numbers where none belongs")
struct CardNumbersTests {
    @Test(
        "are found alone, in words, between signs and in printed groups",
        arguments: [
            "4242424242424242", "4242 4242 4242 4242", "4242-4242-4242-4242", "my card is 4242424242424242.",
            "order_4242424242424242", "order-4242424242424242-1", "4222222222222", "378282246310005",
            "3782 822463 10005", "3782-822463-10005", "30569309025904", "3056 930902 5904", "5555555555554444",
            "2221000000000009", "6011111111111117", "3530111333300000", "6200000000000005", "5018000000000009",
            "12 4242 4242 4242 4242 123", "Karte:\u{a0}4242 4242  4242 4242", "1234567890123456 4242424242424242",
            "4242 4242 4242 4241 4242 4242 4242 4242", "{4000000000009979}", "é4242424242424242",
        ])
    func found(text: String) { #expect(CardNumbers.areIn(text)) }

    @Test(
        "are not seen in other numbers",
        arguments: [
            "", "4242", "424242424242", "4242424242424241", "42424242424242424242", "a4242424242424242",
            "4242424242424242x", "PAY-4242424242424242X", "550e8400-e29b-41d4-a716-446655440000",
            "42424242-4242-4242-4242-424242424242", "1764108000000", "1764108000000000", "1764108000000000000",
            "2026-11-25 22:08:43", "20261125220843", "+49 1512 3456789", "4,242,424,242,424,242", "4242.4242.4242.4242",
            "42 42 42 42 42 42 42 42", "9999999999999995", "４２４２４２４２４２４２４２４２",
        ])
    func notFound(text: String) { #expect(!CardNumbers.areIn(text)) }

    @Test("are in no UUID, however many of its digits are decimal ones")
    func uuids() {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<20_000 {
            var digits = (0..<32).map { _ in "0123456789".randomElement(using: &generator) ?? "0" }
            digits[12] = "4"
            let text = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }.joined(separator: "-")
            #expect(!CardNumbers.areIn(text), "\(text)")
        }
        for _ in 0..<20_000 {
            let text = UUID().uuidString
            #expect(!CardNumbers.areIn(text), "\(text)")
        }
    }

    @Test(
        "leave a path with four digits",
        arguments: [
            ("/check/4242424242424242", "/check/************4242"),
            ("/check/4242%204242%204242%204242/x", "/check/**** **** **** 4242/x"),
            ("/check/%34242424242424242", "/check/************4242"),
            ("/4242424242424242/378282246310005", "/************4242/***********0005"),
            ("/payment/status/PAY-01JD8Z", "/payment/status/PAY-01JD8Z"),
            ("/check/a%2Fb", "/check/a%2Fb"), ("/check/1764108000000%20", "/check/1764108000000%20"), ("/%ff", "/%ff"),
        ])
    func masked(path: String, expected: String) { #expect(CardNumbers.masked(path: path) == expected) }
}
