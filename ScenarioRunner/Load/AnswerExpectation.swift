import Foundation
import Shared

/// What a right answer to a request is.
public struct AnswerExpectation: Sendable, Equatable {
    /// Empty for the usual meaning of success: 2xx, or declined.
    public let statuses: Set<Int>
    /// A text that must stand in the body.
    public let bodyContains: String?
    /// Values that must stand in the JSON body, each where its pointer says.
    public let values: [Value]

    public struct Value: Sendable, Equatable {
        public let pointer: JSONPointer
        public let value: JSONValue

        public init(pointer: JSONPointer, value: JSONValue) {
            self.pointer = pointer
            self.value = value
        }
    }

    public init(statuses: Set<Int> = [], bodyContains: String? = nil, values: [Value] = []) {
        self.statuses = statuses
        self.bodyContains = bodyContains
        self.values = values
    }

    /// 2xx, or declined.
    static let usual = AnswerExpectation()

    var looksAtBody: Bool { bodyContains != nil || !values.isEmpty }

    func isMet(status: Int, _ answer: inout AnswerReading) -> Bool {
        guard statuses.isEmpty ? (200..<300).contains(status) || status == 402 : statuses.contains(status) else {
            return false
        }
        if let bodyContains, !Self.contains(answer.body, Array(bodyContains.utf8)) { return false }
        if values.isEmpty { return true }
        guard let json = answer.json else { return false }
        return values.allSatisfy { $0.pointer.value(in: json) == $0.value }
    }

    private static func contains(_ body: UnsafeRawBufferPointer, _ text: [UInt8]) -> Bool {
        guard let first = text.first else { return true }
        guard body.count >= text.count else { return false }
        for start in 0...(body.count - text.count) where body[start] == first {
            if body[start..<(start + text.count)].elementsEqual(text) { return true }
        }
        return false
    }
}

/// A place in a JSON document, RFC 6901: `/payment_id`, `/steps/0/status`.
public struct JSONPointer: Sendable, Equatable {
    private let tokens: [String]

    /// Nil when `text` is no pointer.
    public init?(_ text: String) {
        guard text.isEmpty || text.hasPrefix("/") else { return nil }
        tokens = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map {
            String($0).replacing("~1", with: "/").replacing("~0", with: "~")
        }
    }

    /// Nil where nothing stands.
    public func value(in document: JSONValue) -> JSONValue? {
        tokens.reduce(Optional(document)) { value, token in
            switch value {
            case .object(let members): members[token]
            case .array(let elements):
                if let index = Int(token), elements.indices.contains(index) { elements[index] } else { nil }
            default: nil
            }
        }
    }
}
