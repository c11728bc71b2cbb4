import Foundation
import ServiceTesting
import Shared
import TestSupport
import Testing

@testable import InventoryService

@Suite("Inventory under bad input, crowds and restarts")
struct InventoryLimitsTests {
    @Test("refuses what is no request, alike on every endpoint", arguments: ["/reserve", "/restock"])
    func badBodies(path: String) async throws {
        try await withInventory { inventory in
            let failures = try await BadBodies.failures(inventory, path)
            #expect(failures == [])
        }
    }

    @Test("names each field that is wrong")
    func badFields() async throws {
        try await withInventory { inventory in
            let bodies = [
                "{}", #"{"product_id":null}"#, #"{"product_id":""}"#, #"{"product_id":true}"#, #"{"product_id":[]}"#,
                #"{"product_id":1.5}"#, #"{"product_id":"1","quantity":0}"#, #"{"product_id":"1","quantity":-5}"#,
                #"{"product_id":"1","quantity":1.5}"#, #"{"product_id":"1","quantity":"5"}"#,
                #"{"product_id":"1","quantity":null}"#, #"{"product_id":"1","quantity":1e400}"#,
                #"{"product_id":"1","quantity":1000001}"#, #"{"product_id":"1","reservation_key":null}"#,
                #"{"product_id":"1","reservation_key":""}"#, #"{"product_id":"1","reservation_key":7}"#,
                #"{"product_id":"\#(String(repeating: "x", count: 65))"}"#,
            ]
            for body in bodies {
                let answer = try await inventory.post("/reserve", body)
                #expect(answer.status == 422 && answer.isProblem, "\(body): \(answer.text)")
                #expect(answer["errors"] != nil, "\(body)")
            }
            let both = try await inventory.post("/reserve", #"{"quantity":0}"#)
            #expect(both["detail"]?.text?.contains("product_id: is required; quantity: must be") == true)
            #expect(try await inventory.post("/restock", #"{"product_id":"1"}"#).status == 422)
            #expect(try await inventory.get("/nothing/here").isProblem)
            #expect(try await stock("1", inventory) == 50)
        }
    }

    @Test("sells to two of forty when the shelf holds two shares")
    func crowd() async throws {
        try await withInventory { inventory in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<40 {
                    group.addTask {
                        try await inventory.post("/reserve", #"{"product_id":"1","quantity":20}"#).status
                    }
                }
                return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [200: 2, 409: 38])
            #expect(try await stock("1", inventory) == 10)
        }
    }

    @Test("takes one of many releases that race a confirmation")
    func race() async throws {
        try await withInventory { inventory in
            _ = try await inventory.post("/reserve", #"{"product_id":"1","quantity":4,"reservation_key":"k"}"#)
            let confirmed = try await withThrowingTaskGroup(of: (String, Int).self) { group in
                for verb in Array(repeating: ["confirm", "release"], count: 10).flatMap(\.self) {
                    group.addTask { (verb, try await inventory.post("/reservations/k/\(verb)").status) }
                }
                return try await group.reduce(into: [String: Set<Int>]()) { $0[$1.0, default: []].insert($1.1) }
            }
            let isSold = confirmed["confirm"] == [200]
            #expect(
                confirmed == (isSold ? ["confirm": [200], "release": [409]] : ["confirm": [409], "release": [200]]))
            #expect(try await stock("1", inventory) == (isSold ? 46 : 50))
        }
    }

    @Test("remembers everything across a restart, and two replicas share it")
    func restart() async throws {
        try await withTemporaryFolder { folder in
            try await withInventory(in: folder) { inventory in
                _ = try await inventory.post("/reserve", #"{"product_id":"1","quantity":7,"reservation_key":"k"}"#)
            }
            try await withInventory(in: folder) { first in
                try await withInventory(in: folder) { second in
                    let before = try await stock("1", first)
                    let released = try await second.post("/reservations/k/release")
                    let after = try await stock("1", first)
                    #expect((before, released.status, after) == (43, 200, 50))
                }
            }
        }
    }

    @Test("keeps its invariants in the schema")
    func schema() async throws {
        try await withTemporaryFolder { folder in
            let database = try await openStore("inventory", in: folder, migrations: InventoryStore.migrations)
            let violations = [
                "UPDATE product SET on_hand = -1, sold = 51 WHERE id = '1'",
                "UPDATE product SET reserved = 51 WHERE id = '1'",
                "UPDATE product SET on_hand = 49 WHERE id = '1'",
                "INSERT INTO reservation VALUES ('a', 'a', 'none', 1, 'reserved', 0, 0, 0)",
                "INSERT INTO reservation VALUES ('a', 'a', '1', 0, 'reserved', 0, 0, 0)",
                "INSERT INTO reservation VALUES ('a', 'a', '1', 1, 'lost', 0, 0, 0)",
            ]
            for sql in violations {
                await #expect(throws: StoreError.self, "\(sql)") {
                    _ = try await database.write { try $0.execute(sql) }
                }
            }
            await database.close()
        }
    }
}
