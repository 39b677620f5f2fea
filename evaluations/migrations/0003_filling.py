# Filling in: a rater asks to be let off, and a form is given back until a day.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("evaluations", "0002_rounds"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="answer",
            options={
                "ordering": ["sheet_id", "indicator_id"],
                "verbose_name": "评估答案",
                "verbose_name_plural": "评估答案",
            },
        ),
        migrations.AddField(
            model_name="sheet",
            name="reopened_until",
            field=models.DateField(blank=True, null=True, verbose_name="重新开放至"),
        ),
        migrations.AlterField(
            model_name="sheet",
            name="state",
            field=models.CharField(
                choices=[
                    ("waiting", "未开始"),
                    ("draft", "填写中"),
                    ("submitted", "已提交"),
                    ("abstained", "弃权"),
                    ("declined", "申请回避"),
                    ("excused", "回避（不评）"),
                    ("replaced", "已改派"),
                ],
                default="waiting",
                max_length=12,
                verbose_name="状态",
            ),
        ),
    ]
