"""A user goes through the chain of all three services: best for watching latency"""

import os
import random

from locust import FastHttpUser, constant_throughput, task


class Chain(FastHttpUser):
    host = os.environ.get("PAYMENT_URL", "http://localhost:5002")
    wait_time = constant_throughput(2)
    network_timeout = 10
    connection_timeout = 5

    @task
    def walk(self):
        product = random.choice(["1", "2", "3", "4", "5"])
        self.client.post("/payment/chain", json={"product_id": product})
