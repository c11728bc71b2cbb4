import Foundation
import HTTPTypes
import Shared

/// Fills the stock up before a run, by all that the run can sell: a run must not fail because the shop is empty.
struct Restock: Sendable {
    let client: HTTPClient
    let inventoryURL: String

    static let timeout = Duration.seconds(10)
    private static let productIDs = ["1", "2", "3", "4", "5"]

    /// - Parameter quantity: of each product.
    /// - Throws: ``LabError`` when the inventory does not take it.
    func run(quantity: Int) async throws {
        for id in Self.productIDs {
            let body = try JSONEncoder().encode([
                "product_id": JSONValue.string(id), "quantity": .integer(Int64(quantity)),
            ])
            let response = try await client.execute(
                HTTPClientRequest(
                    method: .post, url: "\(inventoryURL)/restock", headers: [.contentType: "application/json"],
                    body: body, timeout: Self.timeout))
            guard response.status == 200 else {
                throw LabError("the inventory did not take the restock: it answered \(response.status)")
            }
        }
    }
}
