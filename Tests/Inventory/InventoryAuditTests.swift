import ServiceTesting
import Shared
import Synchronization
import Testing

@testable import InventoryService

@Suite("The books of the inventory")
struct InventoryAuditTests {
    @Test("tell the shelf once and each reservation once, in pages")
    func pages() async throws {
        try await withInventory { inventory in
            for number in 1...7 { try await reserve("k\(number)", inventory) }
            _ = try await inventory.post("/reservations/k1/confirm")
            _ = try await inventory.post("/reservations/k2/release")
            _ = try await inventory.post("/reservations/blocked/release")
            _ = try await inventory.post("/restock", #"{"product_id":"1","quantity":4}"#)

            let first = try await inventory.get("/audit?limit=3")
            #expect(totals(first)["1"] == [50, 4, 48, 5, 1])
            #expect(totals(first).count == 5)
            #expect(totals(first).values.allSatisfy { $0[2] + $0[3] + $0[4] == $0[0] + $0[1] })

            let all = try await keys(limit: 3, inventory)
            #expect(all.sorted() == ["blocked", "k1", "k2", "k3", "k4", "k5", "k6", "k7"])
            // As many as fit exactly are the last page.
            let eight = try await inventory.get("/audit?limit=8")
            #expect(eight["next"] == .null)
            #expect(entry("blocked", eight)?["product_id"] == .null)
            #expect(entry("k1", eight)?["state"] == .string("confirmed"))
            #expect(entry("k2", eight)?["state"] == .string("released"))
            #expect(entry("k3", eight)?["state"] == .string("reserved"))
        }
    }

    @Test("miss nothing that was there before, while more is reserved")
    func growing() async throws {
        try await withInventory { inventory in
            for number in 1...9 { try await reserve("old\(number)", inventory) }
            let seen = try await keys(limit: 2, inventory) { page in
                try await reserve("new\(page)", inventory)
                _ = try await inventory.post("/reservations/old\(page)/confirm")
            }
            #expect(Set(seen).isSuperset(of: (1...9).map { "old\($0)" }))
            #expect(Set(seen).count == seen.count)
        }
    }

    @Test("count what is overdue as given back, as every other read does")
    func overdue() async throws {
        let time = Mutex(UnixTime(milliseconds: 1_000_000))
        try await withInventory(clock: { time.withLock { $0 } }) { inventory in
            try await reserve("slow", inventory)
            time.withLock { $0 = $0.advanced(bySeconds: 900) }
            let page = try await inventory.get("/audit")
            #expect(entry("slow", page)?["state"] == .string("expired"))
            #expect(totals(page)["1"] == [50, 0, 50, 0, 0])
        }
    }

    @Test("refuse a page of no size, and a cursor that is none")
    func badInput() async throws {
        try await withInventory { inventory in
            let long = String(repeating: "R", count: 65)
            for query in ["limit=0", "limit=501", "limit=x", "after=\(long)", "after=%00"] {
                let answer = try await inventory.get("/audit?\(query)")
                #expect(answer.status == 422 && answer.isProblem, "\(query)")
            }
        }
    }

    private func reserve(_ key: String, _ inventory: TestClient) async throws {
        let body = #"{"product_id":"1","reservation_key":"\#(key)"}"#
        #expect(try await inventory.post("/reserve", body).status == 200)
    }

    /// The keys of all pages; `between` is called after each, with its number from 1.
    private func keys(
        limit: Int, _ inventory: TestClient, between: (Int) async throws -> Void = { _ in }
    ) async throws -> [String] {
        var keys: [String] = []
        var cursor: String? = ""
        for page in 1...100 {
            guard let after = cursor else { return keys }
            let query = after.isEmpty ? "" : "&after=\(after)"
            let answer = try await inventory.get("/audit?limit=\(limit)\(query)")
            #expect(after.isEmpty == !totals(answer).isEmpty)
            keys += entries(answer).compactMap { $0["key"]?.text }
            cursor = answer["next"]?.text
            if page < 9 { try await between(page) }
        }
        Issue.record("the pages have no end")
        return keys
    }

    private func entries(_ page: TestAnswer) -> [JSONValue] {
        guard case .array(let entries) = page["reservations"] else { return [] }
        return entries
    }

    private func entry(_ key: String, _ page: TestAnswer) -> JSONValue? {
        entries(page).first { $0["key"] == .string(key) }
    }

    /// `initial, restocked, on_hand, reserved, sold` of each product.
    private func totals(_ page: TestAnswer) -> [String: [Int64]] {
        guard case .array(let totals) = page["totals"] else { return [:] }
        let names = ["initial", "restocked", "on_hand", "reserved", "sold"]
        return totals.reduce(into: [:]) { result, total in
            result[total["product_id"]?.text ?? ""] = names.map { name in
                if case .integer(let value) = total[name] { value } else { -1 }
            }
        }
    }
}
