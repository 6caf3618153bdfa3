"""All declared tasks in file order, with their signatures and full reference sources."""

import ast
import textwrap

import tasks_dev
import tasks_rl_formulas
import tasks_rl_small
import tasks_rl_texts_lists
import tasks_rl_trivial
import tasks_sft
import tasks_test_small
import tasks_test_trivial

_CPP = {"int": "int", "float": "double", "bool": "bool", "str": "std::string"}


def cpp_type(name):
    """The C++ type of a task type: list[int] is std::vector<int>."""
    if name.startswith("list["):
        return f"std::vector<{cpp_type(name[5:-1])}>"
    return _CPP[name]


def cpp_parameter(name):
    """The C++ parameter type: scalars by value, the rest by reference to const."""
    return cpp_type(name) if name in ("int", "float", "bool") else f"const {cpp_type(name)}&"


def _function(task):
    node = ast.parse(f"def f{task['signature']}: pass").body[0]
    parameters = [{"name": a.arg, "type": ast.unparse(a.annotation)} for a in node.args.args]
    return {"name": task["name"], "parameters": parameters, "returns": ast.unparse(node.returns)}


def _references(task, function):
    python = f"def {task['name']}{task['signature']}:\n" + textwrap.indent(task["python"], "    ") + "\n"
    parameters = ", ".join(f"{cpp_parameter(p['type'])} {p['name']}" for p in function["parameters"])
    cpp = f"{cpp_type(function['returns'])} {task['name']}({parameters}) {{\n" + textwrap.indent(task["cpp"], "    ") + "\n}\n"
    return {"python": python, "cpp": cpp}


def all_tasks():
    """The declarations of every tasks_*.py, `function` and `references` added."""
    tasks = []
    for module in (tasks_sft, tasks_rl_trivial, tasks_rl_small, tasks_rl_formulas, tasks_rl_texts_lists,
                   tasks_dev, tasks_test_trivial, tasks_test_small):
        for task in module.T.items:
            function = _function(task)
            tasks.append({**task, "function": function, "references": _references(task, function)})
    return tasks
