import Foundation
import Hummingbird
import Shared

/// `/api/resilience`: the patterns by which the services guard themselves, by profile or one by one.
struct ResilienceController: Sendable {
    let resilience: ResilienceSwitch
    /// The run that has set them for its own time; nil when there is none.
    let holder: @Sendable () -> String?

    var routes: [Route] {
        [
            .get("/api/resilience") { _, _ in try .json(resilience.current) },
            .put("/api/resilience", change),
        ]
    }

    private func change(_ request: Request, _ context: AppContext) async throws -> Response {
        let wish: ResilienceChange = try await request.json()
        if let run = holder() {
            throw Problem.conflict(
                "The run \(run) has set the resilience for its own time. Stop it first, or wait for its end.",
                members: ["run_id": .string(run)])
        }
        return try .json(resilience.change(wish.apply))
    }
}

/// The body of `PUT /api/resilience`. What it does not name stays, but for the patterns of a profile that it chooses.
struct ResilienceChange: Decodable, Sendable, Equatable {
    let profile: ResilienceProfile?
    let patterns: [ResiliencePattern: Bool]
    /// Nil inside: the inventory gets no pool.
    let inventoryPool: InventoryPool??

    init(from decoder: any Decoder) throws {
        guard case .object(let members) = try JSONValue(from: decoder) else {
            throw Problem(.unprocessableContent, "The body must be a JSON object.")
        }
        var errors: [FieldError] = []
        for name in members.keys.sorted() where !["profile", "patterns", "inventory_pool"].contains(name) {
            errors.append(FieldError(field: name, message: "is not known: use profile, patterns or inventory_pool"))
        }
        if members.isEmpty {
            errors.append(FieldError(field: "profile", message: "is required, or patterns, or inventory_pool"))
        }
        profile = members["profile"].flatMap { Self.profile($0, &errors) }
        patterns = members["patterns"].map { Self.patterns($0, &errors) } ?? [:]
        inventoryPool = members["inventory_pool"].map { Self.pool($0, &errors) }
        guard errors.isEmpty else { throw Problem.invalid(errors) }
    }

    func apply(to settings: inout ResilienceSettings) {
        if let profile { settings = ResilienceSettings(profile, inventoryPool: settings.inventoryPool) }
        for (pattern, isOn) in patterns { settings.set(pattern, isOn) }
        if let inventoryPool { settings.inventoryPool = inventoryPool }
    }

    private static func profile(_ value: JSONValue, _ errors: inout [FieldError]) -> ResilienceProfile? {
        if let profile = value.text.flatMap(ResilienceProfile.init(rawValue:)) { return profile }
        let known = ResilienceProfile.allCases.map(\.rawValue).joined(separator: ", ")
        errors.append(FieldError(field: "profile", message: "must be one of \(known)"))
        return nil
    }

    private static func patterns(_ value: JSONValue, _ errors: inout [FieldError]) -> [ResiliencePattern: Bool] {
        guard case .object(let switches) = value else {
            errors.append(FieldError(field: "patterns", message: "must be an object: {\"retry\": true}"))
            return [:]
        }
        let known = ResiliencePattern.allCases.map(\.rawValue).joined(separator: ", ")
        var patterns: [ResiliencePattern: Bool] = [:]
        for (name, value) in switches.sorted(by: { $0.key < $1.key }) {
            guard let pattern = ResiliencePattern(rawValue: name) else {
                errors.append(FieldError(field: "patterns.\(name)", message: "is no pattern: use \(known)"))
                continue
            }
            guard case .bool(let isOn) = value else {
                errors.append(FieldError(field: "patterns.\(name)", message: "must be true or false"))
                continue
            }
            patterns[pattern] = isOn
        }
        return patterns
    }

    private static func pool(_ value: JSONValue, _ errors: inout [FieldError]) -> InventoryPool? {
        if value == .null { return nil }
        guard case .object(let members) = value, Set(members.keys) == ["connections", "hold_ms"] else {
            errors.append(
                FieldError(field: "inventory_pool", message: "must be {\"connections\": 2, \"hold_ms\": 80} or null"))
            return nil
        }
        func number(_ name: String, in range: ClosedRange<Int>) -> Int? {
            if case .integer(let number) = members[name], let number = Int(exactly: number), range.contains(number) {
                return number
            }
            let message = "must be an integer from \(range.lowerBound) to \(range.upperBound)"
            errors.append(FieldError(field: "inventory_pool.\(name)", message: message))
            return nil
        }
        let connections = number("connections", in: InventoryPool.connectionRange)
        let holdMs = number("hold_ms", in: InventoryPool.holdRangeMs)
        guard let connections, let holdMs else { return nil }
        return InventoryPool(connections: connections, holdMs: holdMs)
    }
}
