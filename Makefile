# Each target first makes sure of what it needs: nothing but Debian 12, python3 and make is assumed.
PYTHON ?= python3
PORT ?= 8000
export PORT

.PHONY: help setup run test test-slow check matrix bench soak lock

help:
	@echo "make setup   安装运行所需的一切并装入示例数据（不启动）"
	@echo "make run     启动门户、后台任务和定时任务（PORT=8000）；Ctrl-C 停止"
	@echo "make test    测试（PostgreSQL + Redis + Chromium，再加嵌入方式的主要流程）"
	@echo "make test-slow  耗时的测试：逐页逐角色走遍全站、四地整轮评估、项目全过程"
	@echo "make check   代码、类型、导入方向、迁移和上线检查"
	@echo "make matrix  重写 docs/role-matrix.md（每个地址、每种角色的回答），请逐行看差异再提交"
	@echo "make bench   性能比值；结果写入 bench/results.json"
	@echo "make soak    耗时的故障、负载和内存试验"
	@echo "make lock    依赖变更后重新锁定版本"

setup:
	@$(PYTHON) scripts/set_up.py

run:
	@$(PYTHON) scripts/run.py

test:
	@$(PYTHON) scripts/run_tests.py $(ARGS)

test-slow:
	@$(PYTHON) scripts/run_tests.py --slow $(ARGS)

check:
	@$(PYTHON) scripts/run_checks.py $(ARGS)

matrix:
	@WRITE_ROLE_MATRIX=1 $(PYTHON) scripts/run_tests.py portal/tests/test_role_matrix.py

bench:
	@$(PYTHON) scripts/run_bench.py $(ARGS)

soak:
	@$(PYTHON) scripts/run_bench.py --soak $(ARGS)

lock:
	@$(PYTHON) scripts/lock.py
