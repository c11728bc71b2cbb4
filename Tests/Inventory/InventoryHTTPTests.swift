import ServiceTesting
import Shared
import Synchronization
import Testing

@testable import InventoryService

@Suite("Inventory over HTTP")
struct InventoryHTTPTests {
    @Test("lists the five products with exact prices")
    func list() async throws {
        try await withInventory { inventory in
            let answer = try await inventory.get("/list")
            #expect(answer.status == 200)
            #expect(
                answer["products"]
                    == .array([
                        product("1", "Laptop", 50, 15000), product("2", "Phone", 100, 8000),
                        product("3", "Tablet", 30, 5000), product("4", "Headphones", 200, 500),
                        product("5", "Charger", 500, 150),
                    ]))
            #expect(answer["timestamp"] != nil)
        }
    }

    @Test("describes one product, and says what it does not know")
    func check() async throws {
        try await withInventory { inventory in
            let laptop = try await inventory.get("/check/1")
            #expect(laptop.status == 200)
            #expect(laptop["product_id"] == .string("1"))
            #expect(laptop["name"] == .string("Laptop"))
            #expect(laptop["available"] == .bool(true))
            #expect(laptop["stock_count"] == .integer(50))
            #expect(laptop["price"] == .integer(15000))

            let long = String(repeating: "1", count: 65)
            for id in ["99", "..%2Flist", "a%2Fb%3Fx%3D1", "1%20", "%F0%9F%92%B3", "%00", "1%00", "%0A", long] {
                let unknown = try await inventory.get("/check/\(id)")
                #expect(unknown.status == 404 && unknown.isProblem, "\(id)")
                #expect(unknown["available"] == .bool(false), "\(id)")
                #expect(unknown["product_id"] != nil, "\(id)")
            }
            #expect(try await inventory.get("/check/..%2Flist")["product_id"] == .string("../list"))
        }
    }

    @Test("takes stock down by what is reserved, and refuses more than there is")
    func reserve() async throws {
        try await withInventory { inventory in
            let reserved = try await inventory.post("/reserve", #"{"product_id": 3, "quantity": 28}"#)
            #expect(reserved.status == 200)
            #expect(reserved["reservation_id"]?.text?.hasPrefix("RES-") == true)
            #expect(reserved["product_id"] == .string("3"))
            #expect(reserved["quantity"] == .integer(28))
            #expect(reserved["status"] == .string("reserved"))
            #expect(reserved["expires_at"] != nil)
            #expect(try await stock("3", inventory) == 2)

            let refused = try await inventory.post("/reserve", #"{"product_id": "3", "quantity": 3}"#)
            #expect(refused.status == 409 && refused.isProblem)
            #expect(refused["available"] == .integer(2))
            #expect(try await stock("3", inventory) == 2)

            let unknown = try await inventory.post("/reserve", #"{"product_id": "99"}"#)
            #expect(unknown.status == 404 && unknown.isProblem)
        }
    }

    @Test("gives one reservation for one key")
    func reserveTwice() async throws {
        try await withInventory { inventory in
            let body = #"{"product_id": "1", "quantity": 5, "reservation_key": "PAY-1"}"#
            let first = try await inventory.post("/reserve", body)
            let second = try await inventory.post("/reserve", body)
            #expect(first.status == 200 && second.status == 200)
            #expect(first["reservation_id"] == second["reservation_id"])
            #expect(try await stock("1", inventory) == 45)

            let other = try await inventory.post(
                "/reserve", #"{"product_id": "1", "quantity": 6, "reservation_key": "PAY-1"}"#)
            #expect(other.status == 422 && other.isProblem)
        }
    }

    @Test("confirms and releases by id or key, as often as it is told to")
    func settle() async throws {
        try await withInventory { inventory in
            let sold = try await inventory.post("/reserve", #"{"product_id":"1","reservation_key":"sold"}"#)
            let soldID = try #require(sold["reservation_id"]?.text)
            for id in ["sold", soldID] {
                let answer = try await inventory.post("/reservations/\(id)/confirm", contentType: nil)
                #expect(answer.status == 200 && answer["status"] == .string("confirmed"))
            }
            #expect(try await stock("1", inventory) == 49)
            #expect(try await inventory.post("/reservations/sold/release").status == 409)
            #expect(try await stock("1", inventory) == 49)

            _ = try await inventory.post("/reserve", #"{"product_id":"1","quantity":9,"reservation_key":"back"}"#)
            for _ in 0..<3 {
                let answer = try await inventory.post("/reservations/back/release")
                #expect(answer.status == 200 && answer["status"] == .string("released"))
            }
            #expect(try await stock("1", inventory) == 49)
            #expect(try await inventory.post("/reservations/back/confirm").status == 409)
            let again = try await inventory.post(
                "/reserve", #"{"product_id":"1","quantity":9,"reservation_key":"back"}"#)
            #expect(again.status == 409)

            #expect(try await inventory.post("/reservations/unknown/confirm").status == 404)
        }
    }

    @Test("blocks a key that was released before it was reserved with")
    func releaseBeforeReserve() async throws {
        try await withInventory { inventory in
            let released = try await inventory.post("/reservations/PAY-9/release")
            #expect(released.status == 200 && released["status"] == .string("released"))
            let late = try await inventory.post("/reserve", #"{"product_id":"1","reservation_key":"PAY-9"}"#)
            #expect(late.status == 409 && late.isProblem)
            #expect(try await stock("1", inventory) == 50)
        }
    }

    @Test("takes back what nobody confirmed in time")
    func expiry() async throws {
        let time = Mutex(UnixTime(milliseconds: 1_000_000))
        try await withInventory(clock: { time.withLock { $0 } }) { inventory in
            _ = try await inventory.post("/reserve", #"{"product_id":"3","quantity":30,"reservation_key":"slow"}"#)
            #expect(try await stock("3", inventory) == 0)
            time.withLock { $0 = $0.advanced(bySeconds: 899) }
            #expect(try await stock("3", inventory) == 0)
            time.withLock { $0 = $0.advanced(bySeconds: 1) }
            #expect(try await stock("3", inventory) == 30)
            // The read gave nothing back in the store; the next reservation does.
            let next = try await inventory.post("/reserve", #"{"product_id":"3","quantity":30}"#)
            #expect(next.status == 200)
            #expect(try await inventory.post("/reservations/slow/confirm").status == 409)
            #expect(try await inventory.post("/reservations/slow/release").status == 200)
            #expect(try await stock("3", inventory) == 0)
            // Released stays released, however much is delivered.
            _ = try await inventory.post("/restock", #"{"product_id":"3","quantity":99}"#)
            let late = try await inventory.post("/reservations/slow/confirm")
            #expect(late.status == 409 && late["reservation_status"] == .string("released"))
        }
    }

    @Test("sells what has expired while there is enough, and keeps the rest as back orders")
    func lateConfirmation() async throws {
        let time = Mutex(UnixTime(milliseconds: 1_000_000))
        try await withInventory(clock: { time.withLock { $0 } }) { inventory in
            for key in ["first", "second"] {
                let body = #"{"product_id":"3","quantity":15,"reservation_key":"\#(key)"}"#
                #expect(try await inventory.post("/reserve", body).status == 200)
            }
            time.withLock { $0 = $0.advanced(bySeconds: 900) }
            // Both have expired unnoticed; who came in between has taken 10 of the 30.
            #expect(try await inventory.post("/reserve", #"{"product_id":"3","quantity":10}"#).status == 200)
            for _ in 0..<2 {
                let sold = try await inventory.post("/reservations/first/confirm")
                #expect(sold.status == 200 && sold["status"] == .string("confirmed"), "\(sold.text)")
                #expect(try await stock("3", inventory) == 5)
            }
            for _ in 0..<2 {
                let refused = try await inventory.post("/reservations/second/confirm")
                #expect(refused.status == 409 && refused.isProblem && refused["available"] == .integer(5))
                #expect(refused["reservation_status"] == .string("expired"))
            }
            #expect(try await stock("3", inventory) == 5)
            _ = try await inventory.post("/restock", #"{"product_id":"3","quantity":10}"#)
            for _ in 0..<2 {
                let sold = try await inventory.post("/reservations/second/confirm")
                #expect(sold.status == 200 && sold["status"] == .string("confirmed"))
                #expect(try await stock("3", inventory) == 0)
            }
            #expect(try await inventory.post("/reservations/second/release").status == 409)
            guard case .array(let totals) = try await inventory.get("/audit")["totals"] else { return }
            let total = try #require(totals.first { $0["product_id"] == .string("3") })
            #expect([total["on_hand"], total["reserved"], total["sold"]] == [.integer(0), .integer(10), .integer(30)])
        }
    }

    @Test("takes an overdue reservation's own goods for its late confirmation, and those that others let expire")
    func lateConfirmationOfOverdueGoods() async throws {
        let time = Mutex(UnixTime(milliseconds: 1_000_000))
        try await withInventory(clock: { time.withLock { $0 } }) { inventory in
            for (key, quantity) in [("own", 12), ("others", 18)] {
                let body = #"{"product_id":"3","quantity":\#(quantity),"reservation_key":"\#(key)"}"#
                let reserved = try await inventory.post("/reserve", body)
                #expect(reserved.status == 200)
            }
            time.withLock { $0 = $0.advanced(bySeconds: 900) }
            // Nothing has written down yet that they are over.
            #expect(try await inventory.post("/reservations/own/confirm").status == 200)
            #expect(try await stock("3", inventory) == 18)
            #expect(try await inventory.post("/reserve", #"{"product_id":"3","quantity":18}"#).status == 200)
            time.withLock { $0 = $0.advanced(bySeconds: 900) }
            #expect(try await inventory.post("/reservations/others/confirm").status == 200)
            #expect(try await stock("3", inventory) == 0)
        }
    }

    @Test("puts deliveries on the shelf")
    func restock() async throws {
        try await withInventory { inventory in
            let answer = try await inventory.post("/restock", #"{"product_id":"2","quantity":11}"#)
            #expect(answer.status == 200 && answer["stock_count"] == .integer(111))
            #expect(try await inventory.post("/restock", #"{"product_id":"9","quantity":1}"#).status == 404)
        }
    }

    @Test("describes itself: every endpoint stands in its OpenAPI document")
    func openAPI() async throws {
        try await withInventory { inventory in
            let home = try await inventory.get("/")
            let document = try await inventory.get("/openapi.yaml")
            #expect(
                try OpenAPIDocument.endpoints(in: document.text) == OpenAPIDocument.endpoints(listedIn: home))
            #expect(try await inventory.get("/health")["service"] == .string("inventory-service"))
            #expect(try await inventory.get("/health/ready").status == 200)
            #expect(try await inventory.get("/metrics").text.contains("http_server_requests_total"))
        }
    }

    private func product(_ id: String, _ name: String, _ stock: Int64, _ price: Int64) -> JSONValue {
        .object(["id": .string(id), "name": .string(name), "stock": .integer(stock), "price": .integer(price)])
    }
}

func stock(_ id: String, _ inventory: TestClient) async throws -> Int64 {
    guard case .integer(let stock) = try await inventory.get("/check/\(id)")["stock_count"] else { return -1 }
    return stock
}
