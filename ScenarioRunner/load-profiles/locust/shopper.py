"""A shopper pays, looks at the payment, and sometimes wants the money back"""

import os
import random
import uuid

from locust import FastHttpUser, constant_throughput, task


class Shopper(FastHttpUser):
    host = os.environ.get("PAYMENT_URL", "http://localhost:5002")
    # Tasks a second for each user, however long an answer takes.
    wait_time = constant_throughput(1)
    network_timeout = 10
    connection_timeout = 5

    def on_start(self):
        self.payments = []

    @task(6)
    def pay(self):
        order = {
            "amount": f"{random.randint(100, 20_000) / 100:.2f}",
            "currency": "USD",
            "product_id": random.choice(["1", "2", "3", "4", "5"]),
        }
        with self.post("/payment/process", order, catch_response=True) as response:
            answer = body_of(response)
            if response.status_code == 200:
                self.payments = [*self.payments[-9:], answer["payment_id"]]
            elif response.status_code == 402 or "available" in answer:
                # Declined, or sold out: an answer, and not the one that was hoped for.
                response.success()

    @task(3)
    def look(self):
        if self.payments:
            self.client.get(f"/payment/status/{random.choice(self.payments)}", name="/payment/status/[id]")

    @task(1)
    def ask_for_the_money_back(self):
        if not self.payments:
            return
        payment = self.payments.pop(random.randrange(len(self.payments)))
        self.post("/payment/refund", {"payment_id": payment})

    def post(self, path, body, **options):
        return self.client.post(path, json=body, headers={"Idempotency-Key": str(uuid.uuid4())}, **options)


def body_of(response):
    try:
        body = response.json()
    except (TypeError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}
